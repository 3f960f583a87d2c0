// Plain lines for logs and pipes, a live screen for people.
#include <chrono>
#include <cmath>
#include <deque>
#include <ftxui/dom/canvas.hpp>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/screen.hpp>
#include <print>

#include "story.hpp"

namespace rltune::demo {
namespace {

using Clock = std::chrono::steady_clock;

class Silent final : public Narrator {
 public:
  void begin(int, int, const std::string&) override {}
  void progress(const std::string&) override {}
  void season(const SeasonView&) override {}
  void say(const std::string&) override {}
  void end() override {}
};

double value_of(const SeasonView& view, const std::string& name) {
  const auto found = view.values.find(name);
  return found == view.values.end() ? std::nan("") : found->second;
}

class Lines final : public Narrator {
 public:
  void begin(int step, int steps, const std::string& title) override {
    line(std::format("[{}/{}] {}", step, steps, title));
  }
  void progress(const std::string& text) override {
    if (text.empty() || text == last_ || Clock::now() - said_ < std::chrono::seconds(5)) return;
    last_ = text;
    said_ = Clock::now();
    line("      " + text);
  }
  void season(const SeasonView& view) override {
    const double share = view.days > 0.0 ? view.day / view.days : 0.0;
    const int tenth = static_cast<int>(share * 10.0);
    if (tenth == tenth_) return;
    tenth_ = tenth;
    line(std::format(
        "      day {:4.1f} of {:.0f}: {:.1f} degC, {:.0f} ppm, {:.0f} %, return {:.2f}; {} decisions, link {}",
        view.day, view.days, value_of(view, "air_temperature"), value_of(view, "co2"),
        value_of(view, "relative_humidity"), value_of(view, "season_return"), view.decisions, view.link));
  }
  void say(const std::string& text) override { line("      " + text); }
  void end() override {}

 private:
  static void line(const std::string& text) {
    std::println("{}", text);
    std::fflush(stdout);
  }
  std::string last_;
  Clock::time_point said_{};
  int tenth_ = -1;
};

using ftxui::Element;
using ftxui::Elements;

// Draws over itself at the bottom of the terminal; what is said scrolls up above it.
class LiveScreen final : public Narrator {
 public:
  void begin(int step, int steps, const std::string& title) override {
    if (step > 1) done_.push_back(title_);
    title_ = title;
    step_ = step;
    steps_ = steps;
    progress_.clear();
    in_season_ = false;
    draw(true);
  }
  void progress(const std::string& text) override {
    progress_ = text;
    draw(false);
  }
  void season(const SeasonView& view) override {
    in_season_ = true;
    view_ = view;
    if (trail_.empty() || view.day > trail_.back().first)
      trail_.emplace_back(view.day, std::array{value_of(view, "air_temperature"), value_of(view, "relative_humidity"),
                                               value_of(view, "co2")});
    draw(false);
  }
  void say(const std::string& text) override {
    said_.push_back(text);
    while (said_.size() > 8) said_.pop_front();
    draw(true);
  }
  void end() override {
    done_.push_back(title_);
    title_.clear();
    in_season_ = false;
    progress_.clear();
    draw(true);
    std::println("");
  }

 private:
  void draw(bool now) {
    if (!now && Clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = Clock::now();
    Element document = ftxui::vbox(content()) | ftxui::border | ftxui::size(ftxui::WIDTH, ftxui::LESS_THAN, 110);
    auto screen = ftxui::Screen::Create(ftxui::Dimension::Full(), ftxui::Dimension::Fit(document));
    ftxui::Render(screen, document);
    std::print("{}{}", reset_, screen.ToString());
    std::fflush(stdout);
    reset_ = screen.ResetPosition(true);
  }

  Elements content() {
    using namespace ftxui;
    Elements rows{hbox(
        {text(" RLTune ") | bold | inverted, text("  a greenhouse under reinforcement learning, end to end") | bold})};
    for (const std::string& title : done_)
      rows.push_back(hbox({text("  ✓ ") | color(Color::Green), text(title) | dim}));
    if (!title_.empty())
      rows.push_back(hbox({text("  ▸ ") | color(Color::Cyan), text(title_) | bold, filler(),
                           text(std::format("{}/{} ", step_, steps_)) | dim}));
    if (!progress_.empty()) rows.push_back(hbox({text("    "), paragraph(progress_) | dim}));
    if (in_season_) season_rows(rows);
    if (!said_.empty()) rows.push_back(separatorLight());
    for (const std::string& line : said_) rows.push_back(hbox({text("  "), paragraph(line)}));
    return rows;
  }

  void season_rows(Elements& rows) {
    using namespace ftxui;
    const double share = view_.days > 0.0 ? view_.day / view_.days : 0.0;
    rows.push_back(hbox({text("    "), gauge(static_cast<float>(share)) | color(Color::Cyan) | flex,
                         text(std::format(" day {:.1f} of {:.0f} ", view_.day, view_.days))}));
    rows.push_back(
        hbox({plot("temperature degC", 0, 5.0, 25.0, 10.0, 20.0), plot("humidity %", 1, 50.0, 100.0, 50.0, 80.0),
              plot("CO2 ppm", 2, 300.0, 1800.0, 500.0, 1600.0)}));
    const auto number = [this](const char* name, const char* unit, int digits) {
      return text(std::format(" {} {:.{}f} {} ", name, value_of(view_, name), digits, unit));
    };
    rows.push_back(
        hbox({number("heating", "W/m2", 0), number("ventilation", "mm/s", 2), number("co2_supply", "mg/m2/s", 2),
              filler(), text(std::format("return {:.3f} EUR/m2 ", value_of(view_, "season_return"))) | bold}));
    std::string verdicts;
    for (const auto& [action, count] : view_.verdicts) verdicts += std::format("{} {}  ", action, count);
    rows.push_back(hbox({text(std::format(" link {}  agent {}  mode {}  reconnects {}", view_.link, view_.agent,
                                          view_.mode, view_.reconnects)),
                         filler(), text(std::format("sample to write p99 {:.0f} us ", view_.latency_us_p99))}) |
                   dim);
    rows.push_back(hbox({text(std::format(" {} decisions: {}", view_.decisions, verdicts)) | dim}));
    if (!view_.happening.empty())
      rows.push_back(hbox({text("  ● ") | color(Color::Red), text(view_.happening) | bold | color(Color::Red)}));
  }

  Element plot(const std::string& title, std::size_t which, double low, double high, double band_low,
               double band_high) {
    using namespace ftxui;
    constexpr int kWidth = 66, kHeight = 24;
    Canvas canvas(kWidth, kHeight);
    const auto y = [&](double value) {
      return static_cast<int>((high - std::clamp(value, low, high)) / (high - low) * (kHeight - 1));
    };
    for (int x = 0; x < kWidth; x += 4) {
      canvas.DrawPoint(x, y(band_low), true, Color::GrayDark);
      canvas.DrawPoint(x, y(band_high), true, Color::GrayDark);
    }
    // The last ten days.
    const double end = std::max(view_.day, 10.0);
    int last_x = -1, last_y = 0;
    for (const auto& [day, values] : trail_) {
      const int x = static_cast<int>((day - (end - 10.0)) / 10.0 * (kWidth - 1));
      if (x < 0 || !std::isfinite(values[which])) continue;
      const bool inside = values[which] >= band_low && values[which] <= band_high;
      if (last_x >= 0) canvas.DrawPointLine(last_x, last_y, x, y(values[which]), inside ? Color::Green : Color::Yellow);
      last_x = x;
      last_y = y(values[which]);
    }
    return window(text(" " + title + " "), ftxui::canvas(std::move(canvas)));
  }

  std::string title_, progress_, reset_;
  std::vector<std::string> done_;
  std::deque<std::string> said_;
  std::deque<std::pair<double, std::array<double, 3>>> trail_;
  SeasonView view_;
  int step_ = 0, steps_ = 0;
  bool in_season_ = false;
  Clock::time_point drawn_{};
};

}  // namespace

std::unique_ptr<Narrator> make_narrator(Narration kind) {
  if (kind == Narration::screen) return std::make_unique<LiveScreen>();
  if (kind == Narration::lines) return std::make_unique<Lines>();
  return std::make_unique<Silent>();
}

}  // namespace rltune::demo
