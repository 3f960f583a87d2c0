// Weather that has not been. The structure is textbook meteorology, the numbers are the climate of the North Sea coast
// as handbooks give it (annual means near 10.5 degC, 2/3 cloud cover, 80 % humidity); none is fitted to a data file.
//
//   sun        declination and hour angle (Cooper 1969; Spencer 1971 for the equation of time is within 16 min and left
//   out) clear sky  Haurwitz 1945: G0 = 1098 sin h exp(-0.059 / sin h) clouds     cover N = logistic(2 z), z the sum of
//   Ornstein-Uhlenbeck processes of 40 h (fronts), 5 h and 40 min: often
//              overcast or clear, seldom half; G = G0 (1 - (1 - t) N^3.4) (Kasten & Czeplak 1980
//              with t = 0.25; here a thickness that varies), with a flicker of
//              broken clouds
//   warmth     a yearly wave, 4-day air masses, a year's own anomaly, and the day's: a 5 h lag of the sun's excess over
//              the season's mean; clear nights radiate heat away
//   moisture   dew point: a day's mean temperature less a depression that is small under cloud and in winter
//   CO2        the year's background; nights under calm, clear skies trap what soils and traffic give off
#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <numbers>

#include "rltune/base/random.hpp"
#include "rltune/env/weather.hpp"

namespace rltune::env {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kHourSeconds = 3600.0;
constexpr double kTurbidity = 0.96;  // of maritime air, beyond the clear-sky formula

// Mean 0, deviation 1, correlation exp(-t / time constant).
class OrnsteinUhlenbeck {
 public:
  OrnsteinUhlenbeck(double time_constant_h, double step_s, Random& random)
      : keep_(std::exp(-step_s / kHourSeconds / time_constant_h)),
        fresh_(std::sqrt(1.0 - keep_ * keep_)),
        value_(random.normal()) {}
  double next(Random& random) { return value_ = keep_ * value_ + fresh_ * random.normal(); }

 private:
  double keep_, fresh_, value_;
};

// A first-order lag.
class Lag {
 public:
  Lag(double time_constant_h, double step_s, double start)
      : gain_(1.0 - std::exp(-step_s / kHourSeconds / time_constant_h)), value_(start) {}
  double next(double input) { return value_ += gain_ * (input - value_); }

 private:
  double gain_, value_;
};

double sine_of_elevation(const SyntheticOptions& options, double day_of_year, double hour_utc) {
  const double latitude = options.latitude_deg * kPi / 180.0;
  const double declination = 23.45 * kPi / 180.0 * std::sin(2.0 * kPi * (284.0 + day_of_year) / 365.0);
  const double hour_angle = (hour_utc + options.longitude_deg / 15.0 - 12.0) * kPi / 12.0;
  return std::sin(latitude) * std::sin(declination) + std::cos(latitude) * std::cos(declination) * std::cos(hour_angle);
}

double clear_sky(double sine) { return sine <= 0.01 ? 0.0 : 1098.0 * sine * std::exp(-0.059 / sine); }

double vapour_pressure(double dew_point) { return 610.78 * std::exp(17.2694 * dew_point / (dew_point + 238.3)); }

// The clear day's mean at each day of the year.
std::array<double, 367> clear_day_means(const SyntheticOptions& options) {
  std::array<double, 367> means{};
  for (std::size_t day = 0; day < means.size(); ++day) {
    for (int hour = 0; hour < 24; ++hour)
      means[day] += clear_sky(sine_of_elevation(options, static_cast<double>(day), hour + 0.5)) / 24.0;
  }
  return means;
}

// What tells one year from another: its own draws, so that a policy cannot learn one climate by heart.
struct Year {
  double warmth, cloudiness, dryness, background_ppm, trapping_ppm;

  Year(const SyntheticOptions& options, Random& random)
      : warmth(1.0 * random.normal()),
        // logistic(2 z) has the wanted mean for a z of deviation 1.1 about this (probit approximation).
        cloudiness(std::log(options.cloudiness / (1.0 - options.cloudiness)) / 2.0 *
                       std::sqrt(1.0 + kPi / 8.0 * 4.0 * 1.21) +
                   0.2 * random.normal()),
        dryness(0.4 * random.normal()),
        background_ppm(random.uniform(395.0, 440.0)),
        trapping_ppm(random.uniform(20.0, 90.0)) {}
};

class Sky {
 public:
  Sky(const SyntheticOptions& options, const Year& year, Random& random)
      : year_(year),
        fronts_(40.0, options.row_period_s, random),
        showers_(5.0, options.row_period_s, random),
        passing_(0.7, options.row_period_s, random) {}

  double next_cover(Random& random) {
    fronts = fronts_.next(random);
    const double z = year_.cloudiness + 1.05 * fronts + 0.4 * showers_.next(random) + 0.35 * passing_.next(random);
    return 1.0 / (1.0 + std::exp(-2.0 * z));
  }
  double fronts = 0.0;

 private:
  const Year& year_;
  OrnsteinUhlenbeck fronts_, showers_, passing_;
};

class Generator {
 public:
  Generator(const SyntheticOptions& options, Random& random)
      : options_(options),
        random_(random),
        year_(options, random),
        sky_(options, year_, random),
        clear_means_(clear_day_means(options)),
        masses_(90.0, options.row_period_s, random),
        moisture_(30.0, options.row_period_s, random),
        breeze_(20.0, options.row_period_s, random),
        mixing_(12.0, options.row_period_s, random),
        thickness_(12.0, options.row_period_s, random),
        sun_lag_(5.0, options.row_period_s, 0.0),
        night_lag_(5.0, options.row_period_s, 0.0),
        day_mean_(18.0, options.row_period_s, seasonal(0.0)) {}

  WeatherRow next(double day, double hour) {
    const double cover = sky_.next_cover(random_);
    const double sine = sine_of_elevation(options_, day, hour);
    WeatherRow row;
    row.radiation = radiation(sine, cover);
    row.wind = std::exp(1.3 + 0.5 * breeze_.next(random_) + 0.15 * sky_.fronts);
    row.temperature = temperature(day, cover, row.radiation);
    row.humidity = humidity(day, cover, row.temperature);
    row.co2 = co2(sine, cover, row.wind);
    return row;
  }

 private:
  double seasonal(double day) const {
    return options_.temperature_mean_degc + year_.warmth -
           options_.temperature_seasonal_degc * std::cos(2.0 * kPi * (day - 21.0) / 365.0);
  }

  double radiation(double sine, double cover) {
    const double broken = cover * (1.0 - cover) * 4.0;
    const double flicker = 1.0 + 0.15 * broken * random_.normal();
    const double overcast = std::clamp(0.2 * std::exp(0.55 * thickness_.next(random_)), 0.05, 0.5);
    const double through = kTurbidity * (1.0 - (1.0 - overcast) * std::pow(cover, 3.4));
    return std::clamp(clear_sky(sine) * through * flicker, 0.0, 1200.0);
  }

  double temperature(double day, double cover, double sun) {
    const double summer = -std::cos(2.0 * kPi * (day - 21.0) / 365.0);
    const double usual_sun = 0.6 * clear_means_[static_cast<std::size_t>(day)];
    const double warmed = 0.022 * sun_lag_.next(sun - usual_sun);
    const double radiated = -4.0 * night_lag_.next(options_.cloudiness - cover);  // lost under a clear sky
    const double air_mass = 3.2 * masses_.next(random_) - 1.2 * summer * sky_.fronts;
    return seasonal(day) + air_mass + warmed + radiated;
  }

  double humidity(double day, double cover, double temperature) {
    const double spring = std::cos(2.0 * kPi * (day - 150.0) / 365.0);  // the driest air is that of May
    const double depression =
        3.2 + year_.dryness + 1.4 * spring + 3.0 * (options_.cloudiness - cover) + 1.2 * moisture_.next(random_);
    const double dew_point = day_mean_.next(temperature) - std::max(depression, 0.2);
    return std::clamp(100.0 * vapour_pressure(dew_point) / vapour_pressure(temperature), 20.0, 99.5);
  }

  double co2(double sine, double cover, double wind) {
    const double stable = sine < 0.1 ? (1.0 - 0.5 * cover) * std::exp(-wind / 5.0) : 0.0;
    trapped_ += (1.0 - std::exp(-options_.row_period_s / (4.0 * kHourSeconds))) * (stable - trapped_);
    return std::clamp(year_.background_ppm + 10.0 * mixing_.next(random_) + year_.trapping_ppm * 2.0 * trapped_, 340.0,
                      800.0);
  }

  const SyntheticOptions& options_;
  Random& random_;
  Year year_;
  Sky sky_;
  std::array<double, 367> clear_means_;
  OrnsteinUhlenbeck masses_, moisture_, breeze_, mixing_, thickness_;
  Lag sun_lag_, night_lag_, day_mean_;
  double trapped_ = 0.0;
};

}  // namespace

Weather synthesize_weather(const SyntheticOptions& options) {
  constexpr int kSpinUpDays = 10;                 // lags start from nothing
  Random random(options.seed, 0x77656174686572);  // "weather"
  Generator generator(options, random);
  Weather weather;
  weather.name = std::format("synthetic, seed {}, latitude {:.1f}", options.seed, options.latitude_deg);
  weather.start = TimePoint{std::chrono::sys_days{std::chrono::year{options.year} / 1 / 1}};
  weather.time_zone = "UTC";
  weather.row_period_s = options.row_period_s;
  const auto rows_per_day = static_cast<std::int64_t>(86400.0 / options.row_period_s);
  weather.rows.reserve(static_cast<std::size_t>(options.days * rows_per_day));
  for (std::int64_t k = -kSpinUpDays * rows_per_day; k < options.days * rows_per_day; ++k) {
    const double days = static_cast<double>(k) / static_cast<double>(rows_per_day);
    const double day_of_year = std::fmod(days + 3650.0, 365.0);
    const WeatherRow row = generator.next(day_of_year, (days - std::floor(days)) * 24.0);
    if (k >= 0) weather.rows.push_back(row);
  }
  return weather;
}

}  // namespace rltune::env
