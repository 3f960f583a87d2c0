// Plain lines for logs and pipes, a live screen for people.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <ftxui/dom/canvas.hpp>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/screen.hpp>
#include <ftxui/screen/terminal.hpp>
#include <print>

#include "story.hpp"

namespace rltune::demo {
namespace {

using Clock = std::chrono::steady_clock;

class Silent final : public Narrator {
 public:
  void begin(int, int, const std::string&) override {}
  void progress(const std::string&) override {}
  void training(const TrainingView&) override {}
  void season(const SeasonView&) override {}
  void say(const std::string&) override {}
  void end(bool) override {}
};

double value_of(const SeasonView& view, const std::string& name) {
  const auto found = view.values.find(name);
  return found == view.values.end() ? std::nan("") : found->second;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<int>(seconds);
  return std::format("{}:{:02}", whole / 60, whole % 60);
}

std::string training_text(const TrainingView& view) {
  std::string text = std::format("{} of {} steps", view.steps, view.steps_planned);
  if (view.seconds > 0.0) text += std::format(", {:.0f} a second", static_cast<double>(view.steps) / view.seconds);
  if (!view.evaluated.empty()) text += std::format("; a season returns {:.2f} EUR/m2", view.evaluated.back().second);
  return text;
}

class Lines final : public Narrator {
 public:
  void begin(int part, int parts, const std::string& title) override {
    line(std::format("[{}/{}] {}", part, parts, title));
    tenth_ = -1;
  }
  void progress(const std::string&) override {}
  void training(const TrainingView& view) override {
    if (view.steps > 0 && new_tenth(static_cast<double>(view.steps), static_cast<double>(view.steps_planned)))
      line("      " + training_text(view));
  }
  void season(const SeasonView& view) override {
    if (!std::isfinite(value_of(view, "air_temperature")) || !new_tenth(view.day, view.days)) return;
    line(std::format(
        "      day {:4.1f} of {:.0f}: {:.1f} degC, {:.0f} ppm, {:.0f} %, return {:.2f} EUR/m2; {} decisions, link {}",
        view.day, view.days, value_of(view, "air_temperature"), value_of(view, "co2"),
        value_of(view, "relative_humidity"), value_of(view, "season_return"), view.decisions, view.link));
  }
  void say(const std::string& text) override { line("      " + text); }
  void end(bool) override {}

 private:
  bool new_tenth(double done, double all) {
    const int tenth = all > 0.0 ? static_cast<int>(done / all * 10.0) : 0;
    return std::exchange(tenth_, tenth) != tenth;
  }
  static void line(const std::string& text) {
    std::println("{}", text);
    std::fflush(stdout);
  }
  int tenth_ = -1;
};

using ftxui::Color;
using ftxui::Element;
using ftxui::Elements;

// One curve over what should be, in the dots of Braille letters.
struct Plot {
  std::string title;
  double low = 0.0, high = 1.0;
  double band_low = 0.0, band_high = 0.0;  // equal: none
  double from = 0.0, to = 1.0;
  std::vector<std::pair<double, double>> points;
};

Element draw(const Plot& plot, int columns, int rows) {
  const int width = 2 * columns, height = 4 * rows;
  ftxui::Canvas canvas(width, height);
  const auto y = [&](double value) {
    return static_cast<int>((plot.high - std::clamp(value, plot.low, plot.high)) / (plot.high - plot.low) *
                            (height - 1));
  };
  const auto x = [&](double value) {
    return static_cast<int>((value - plot.from) / (plot.to - plot.from) * (width - 1));
  };
  const bool banded = plot.band_high > plot.band_low;
  for (int dot = 0; banded && dot < width; dot += 4)
    for (const double edge : {plot.band_low, plot.band_high}) canvas.DrawPoint(dot, y(edge), true, Color::GrayDark);
  int last_x = -1, last_y = 0;
  for (const auto& [at, value] : plot.points) {
    if (at < plot.from || !std::isfinite(value)) continue;
    const bool inside = !banded || (value >= plot.band_low && value <= plot.band_high);
    if (last_x >= 0)
      canvas.DrawPointLine(last_x, last_y, x(at), y(value), inside ? Color::GreenLight : Color::YellowLight);
    last_x = x(at);
    last_y = y(value);
  }
  const std::string low = std::format("{:g}", plot.low), high = std::format("{:g}", plot.high);
  const Element axis = ftxui::vbox({ftxui::text(high), ftxui::filler(), ftxui::text(low)}) | ftxui::dim |
                       ftxui::align_right | ftxui::size(ftxui::WIDTH, ftxui::EQUAL, 5);
  return ftxui::vbox({ftxui::text(" " + plot.title) | ftxui::dim,
                      ftxui::hbox({axis, ftxui::text(" "), ftxui::canvas(std::move(canvas))})});
}

// Draws over itself at the bottom of the terminal.
class LiveScreen final : public Narrator {
 public:
  LiveScreen() { std::print("\033[?25l"); }  // no cursor
  ~LiveScreen() override {
    std::print("\033[?25h");
    std::fflush(stdout);
  }
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  void begin(int part, int parts, const std::string& title) override {
    finish_part(true);
    title_ = title;
    part_ = part;
    parts_ = parts;
    part_began_ = Clock::now();
    progress_.clear();
    shown_ = Shown::text;
    draw_page(true);
  }
  void progress(const std::string& text) override {
    progress_ = text;
    draw_page(false);
  }
  void training(const TrainingView& view) override {
    shown_ = Shown::training;
    training_ = view;
    draw_page(false);
  }
  void season(const SeasonView& view) override {
    shown_ = Shown::season;
    take(view);
    draw_page(false);
  }
  void say(const std::string& text) override {
    said_.push_back(text);
    draw_page(true);
  }
  void end(bool completed) override {
    finish_part(completed);
    title_.clear();
    progress_.clear();
    shown_ = Shown::text;
    draw_page(true);
    std::println("");
  }

 private:
  enum class Shown { text, training, season };
  struct Part {
    std::string title;
    double seconds = 0.0;
    bool completed = false;
  };

  void finish_part(bool completed) {
    if (!title_.empty()) done_.push_back({title_, seconds_since(part_began_), completed});
  }

  // A plant that is away has no values: what it last said stays on the screen.
  void take(const SeasonView& view) {
    std::map<std::string, double> values = view_.values;
    for (const auto& [name, value] : view.values)
      if (std::isfinite(value)) values[name] = value;
    view_ = view;
    view_.values = std::move(values);
    if (trail_.empty() || view_.day > trail_.back().first)
      trail_.emplace_back(view_.day, std::array{value_of(view_, "air_temperature"),
                                                value_of(view_, "relative_humidity"), value_of(view_, "co2")});
  }

  int width() const { return std::clamp(ftxui::Terminal::Size().dimx - 2, 60, 112); }

  void draw_page(bool now) {
    if (!now && Clock::now() - drawn_ < std::chrono::milliseconds(60)) return;
    drawn_ = Clock::now();
    Element document = ftxui::vbox(content()) | ftxui::border;
    auto screen = ftxui::Screen::Create(ftxui::Dimension::Fixed(width()), ftxui::Dimension::Fit(document));
    ftxui::Render(screen, document);
    std::print("{}{}", reset_, screen.ToString());
    std::fflush(stdout);
    reset_ = screen.ResetPosition(true);
  }

  Elements content() {
    using namespace ftxui;
    Elements rows{hbox({text(" RLTune ") | bold | inverted, text("  a greenhouse under reinforcement learning") | bold,
                        filler(), text(clock_text(seconds_since(began_)) + " ") | dim})};
    for (const auto& [title, took, completed] : done_)
      rows.push_back(hbox({completed ? text("  ✓ ") | color(Color::GreenLight) : text("  ✗ ") | color(Color::RedLight),
                           text(title) | dim, filler(), text(std::format("{:.1f} s ", took)) | dim}));
    if (!title_.empty())
      rows.push_back(hbox({text("  ▸ ") | color(Color::CyanLight), text(title_) | bold, filler(),
                           text(std::format("{} of {} ", part_, parts_)) | dim}));
    if (!progress_.empty()) rows.push_back(hbox({text("    "), text(progress_) | dim}));
    if (shown_ == Shown::training) training_rows(rows);
    if (shown_ == Shown::season) season_rows(rows);
    said_rows(rows);
    return rows;
  }

  // As many as the terminal has room for: what does not fit could not be drawn over.
  void said_rows(Elements& rows) const {
    using namespace ftxui;
    const int taken = static_cast<int>(rows.size()) + (shown_ == Shown::text ? 4 : 12);
    const auto room = static_cast<std::size_t>(std::clamp(Terminal::Size().dimy - taken, 1, 10));
    if (said_.empty()) return;
    rows.push_back(separatorLight());
    for (std::size_t i = said_.size() - std::min(said_.size(), room); i < said_.size(); ++i)
      rows.push_back(text("  " + said_[i]));
  }

  void gauge_row(Elements& rows, double share, const std::string& label) const {
    using namespace ftxui;
    rows.push_back(
        hbox({text("    "), gauge(static_cast<float>(std::clamp(share, 0.0, 1.0))) | color(Color::Cyan) | flex,
              text(" " + label + " ")}));
  }

  void training_rows(Elements& rows) const {
    const double planned = static_cast<double>(std::max<std::uint64_t>(training_.steps_planned, 1));
    const bool over = training_.steps >= training_.steps_planned;
    gauge_row(rows, static_cast<double>(training_.steps) / planned,
              over ? "tuning the rule and validating" : training_text(training_));
    Plot plot{.title = "return of a season, EUR/m2", .to = planned, .points = training_.evaluated};
    plot.low = plot.high = 0.0;
    for (const auto& [step, value] : plot.points) {
      plot.low = std::min(plot.low, 10.0 * std::floor(value / 10.0));
      plot.high = std::max(plot.high, 5.0 * std::ceil(value / 5.0));
    }
    if (plot.low == plot.high) plot.low = -10.0;
    rows.push_back(draw(plot, width() - 10, 6));
  }

  void season_rows(Elements& rows) const {
    using namespace ftxui;
    gauge_row(rows, view_.days > 0.0 ? view_.day / view_.days : 0.0,
              std::format("day {:4.1f} of {:.0f}", view_.day, view_.days));
    rows.push_back(hbox({plot("temperature degC", 0, 5.0, 25.0, 10.0, 20.0), text(" "),
                         plot("humidity %", 1, 40.0, 100.0, 40.0, 80.0), text(" "),
                         plot("CO2 ppm", 2, 400.0, 1700.0, 500.0, 1600.0)}));
    const auto number = [this](const char* label, const char* name, const char* unit, int digits) {
      return text(std::format(" {} {:.{}f} {} ", label, value_of(view_, name), digits, unit));
    };
    rows.push_back(hbox({number("heating", "heating", "W/m2", 0), number("ventilation", "ventilation", "mm/s", 1),
                         number("CO2", "co2_supply", "mg/m2/s", 2), filler(),
                         text(std::format("return {:.3f} EUR/m2 ", value_of(view_, "season_return"))) | bold}));
    std::string verdicts;
    for (const auto& [action, count] : view_.verdicts) verdicts += std::format(", {} {}", count, action);
    rows.push_back(hbox({text(std::format(" {} decisions{}", view_.decisions, verdicts)), filler(),
                         text(std::format("sample to write p99 {:.0f} us ", view_.latency_us_p99))}) |
                   dim);
    const bool well = view_.happening.empty();
    rows.push_back(hbox({text(" ● ") | color(well ? Color::GreenLight : Color::RedLight),
                         well ? text(std::format("link {}, agent {}, mode {}, {} reconnects", view_.link, view_.agent,
                                                 view_.mode, view_.reconnects)) |
                                    dim
                              : text(view_.happening) | bold | color(Color::RedLight)}));
  }

  // The last ten days.
  Element plot(const std::string& title, std::size_t which, double low, double high, double band_low,
               double band_high) const {
    Plot plot{title, low, high, band_low, band_high, std::max(0.0, view_.day - 10.0), std::max(view_.day, 10.0), {}};
    for (const auto& [day, values] : trail_) plot.points.emplace_back(day, values[which]);
    return draw(plot, (width() - 4) / 3 - 7, 6);
  }

  std::string title_, progress_, reset_;
  std::vector<Part> done_;
  std::vector<std::string> said_;
  std::deque<std::pair<double, std::array<double, 3>>> trail_;
  TrainingView training_;
  SeasonView view_;
  Shown shown_ = Shown::text;
  int part_ = 0, parts_ = 0;
  Clock::time_point began_ = Clock::now(), part_began_{}, drawn_{};
};

}  // namespace

std::unique_ptr<Narrator> make_narrator(Narration kind) {
  if (kind == Narration::screen) return std::make_unique<LiveScreen>();
  if (kind == Narration::lines) return std::make_unique<Lines>();
  return std::make_unique<Silent>();
}

}  // namespace rltune::demo
