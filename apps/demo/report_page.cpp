// The findings as a page: what a grower, an engineer and a sceptic would ask, in that order.
#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "findings.hpp"
#include "rltune/report/report.hpp"

namespace rltune::demo {
namespace {

using nlohmann::json;
using report::Chart;
using report::Event;
using report::Figure;
using report::Section;
using report::Series;
using report::StackedBars;
using report::Style;
using report::Table;
using report::Tone;

constexpr double kOpen = std::numeric_limits<double>::infinity();
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
// Returns below this would flatten the picture of the others: switched off, the crop freezes.
constexpr double kOffTheChart = -25.0;

// Of the palette. The same thing has the same colour everywhere.
enum Colour : int { blue, orange, green, purple, amber, sky, grey, brown };
constexpr int kPolicy = blue, kRule = orange;

struct Term {
  const char* tag;
  const char* label;
  int colour;
};
constexpr std::array kTerms{Term{"crop_value", "crop", green},
                            Term{"heating_cost", "heat", orange},
                            Term{"co2_cost", "CO₂ bought", amber},
                            Term{"co2_penalty", "CO₂ limits", sky},
                            Term{"temperature_penalty", "temperature limits", purple},
                            Term{"humidity_penalty", "humidity limit", grey}};

Tone tone(bool good) { return good ? Tone::good : Tone::bad; }

std::vector<double> to_length(std::vector<double> values, std::size_t length) {
  values.resize(length, kNothing);
  return values;
}

// In the unit that people would use.
std::string time_text(double seconds) {
  if (seconds < 1e-3) return std::format("{:.{}f} µs", 1e6 * seconds, seconds < 1e-5 ? 1 : 0);
  if (seconds < 1.0) return std::format("{:.{}f} ms", 1e3 * seconds, seconds < 1e-2 ? 1 : 0);
  return std::format("{:.2f} s", seconds);
}

std::string short_number(double value) {
  return std::abs(value) >= 100.0 ? std::format("{:.0f}", value) : std::format("{:.1f}", value);
}

class Page {
 public:
  explicit Page(const Findings& findings) : f_(findings) {}

  report::Report make(const std::string& created) {
    report::Report page{.title = "A greenhouse under reinforcement learning",
                        .subtitle =
                            "Trained on a digital twin in synthetic weather, then in charge of a lettuce "
                            "season it had not seen: over encrypted OPC UA, behind a guard, with every "
                            "decision on record.",
                        .verdict = f_.passed() ? "every claim shown" : "not every claim shown",
                        .verdict_tone = tone(f_.passed())};
    page.facts = {
        {"season", std::format("{} days from {}", f_.standings.front()["season_days"].get<double>(), f_.start)},
        {"weather", f_.weather},
        {"policy", f_.policy_sha256.substr(0, 16)},
        {"made", created},
        {"took", std::format("{:.0f} s", f_.seconds)}};
    page.figures = figures();
    page.sections.push_back(outcome());
    if (f_.loop) {
      page.sections.push_back(climate());
      page.sections.push_back(accidents_section());
    }
    page.sections.push_back(seasons());
    page.sections.push_back(learning());
    page.sections.push_back(claims());
    page.sections.push_back(repeat());
    return page;
  }

 private:
  // ---- what stands first ----

  std::vector<Figure> figures() const {
    const json& gain = f_.paired["gain"];
    const double low = gain["mean_interval"][0], outside = gain["band_hours_outside"],
                 outside_rule = gain["band_hours_outside_against"];
    std::vector<Figure> all;
    if (f_.loop)
      all.push_back({"Earned this season", std::format("{:.2f} €/m²", f_.loop->season.total),
                     std::format("tuned rule {:.2f}, grower's rule {:.2f}", return_of("tuned rule"),
                                 return_of("grower's rule"))});
    all.push_back({"Gain over the tuned rule", std::format("{:+.2f} €/m²", gain["mean"].get<double>()),
                   std::format("a season; 95 % from {:+.2f}; {} of {} won", low, gain["wins"].get<int>(),
                               gain["seasons"].get<int>()),
                   tone(low > 0.0)});
    all.push_back({"Out of the climate's limits", std::format("{:.0f} band-hours", outside),
                   std::format("tuned rule {:.0f}, same seasons", outside_rule), tone(outside <= outside_rule)});
    if (!f_.loop) return all;
    for (const Incident& one : f_.loop->season.incidents) {
      const double most = one.what == "agent" ? kAgentRecovery_s : kTwinRecovery_s;
      all.push_back({std::format("{} killed", one.what == "agent" ? "Agent" : "Plant's server"),
                     time_text(one.recovery_s),
                     std::format("{}; at most {:g} s",
                                 one.what == "agent" ? "until it decided again" : "until values flowed again", most),
                     tone(one.recovered && one.recovery_s <= most)});
    }
    const SeasonRecord& record = f_.loop->record;
    all.push_back({"Sample to write", time_text(1e-6 * record.sample_to_write_us.p99),
                   "99 % of decisions; median " + time_text(1e-6 * record.sample_to_write_us.p50)});
    all.push_back({"Decisions on record", std::format("{}", record.decisions),
                   std::format("{} computed again to the same bits", f_.loop->replay.value("same", 0))});
    all.push_back({"Written outside the limits", std::format("{}", record.outside_limits),
                   std::format("of {} values written", record.written), tone(record.outside_limits == 0)});
    return all;
  }

  const json& standing(const std::string& label) const {
    const auto found = std::ranges::find_if(f_.standings, [&label](const json& one) { return one["label"] == label; });
    return found == f_.standings.end() ? f_.standings.front() : *found;
  }
  double return_of(const std::string& label) const { return standing(label)["return"].get<double>(); }

  // ---- the outcome ----

  Section outcome() const {
    Section section{.title = "What it earned"};
    section.text =
        "The same season for everybody: same weather, same start, same prices. The return is the crop's value less "
        "heat, "
        "CO₂ and the penalties for leaving the climate's limits. The rule's numbers were tuned with as many simulated "
        "steps as the policy had for its weights. Model predictive control sees the weather to come without error: a "
        "bound, not a competitor.";
    section.tables = {standings_table()};
    section.bars = {standings_bars()};
    return section;
  }

  Table standings_table() const {
    Table table{.columns = {"controller", "return €/m²", "crop", "heat", "CO₂", "penalties", "dry weight g/m²",
                            "temperature out °C·h", "humidity out %·h", "CO₂ out ppm·h"}};
    for (const json& one : f_.standings) {
      const auto term = [&one](const char* name) { return one["terms"][name].get<double>(); };
      const auto hours = [&one](std::size_t limit) {
        return short_number(one["violations"][limit]["unit_hours"].get<double>());
      };
      table.rows.push_back(
          {{one["label"].get<std::string>()},
           {std::format("{:.2f}", one["return"].get<double>())},
           {std::format("{:.2f}", term("crop_value"))},
           {std::format("{:.2f}", term("heating_cost"))},
           {std::format("{:.2f}", term("co2_cost"))},
           {std::format("{:.2f}", term("co2_penalty") + term("temperature_penalty") + term("humidity_penalty"))},
           {std::format("{:.0f}", 1e3 * one["final_state"]["dry_weight"].get<double>())},
           {hours(1)},
           {hours(2)},
           {hours(0)}});
    }
    table.emphasised = {0};
    return table;
  }

  StackedBars standings_bars() const {
    StackedBars bars{.title = "Where the money goes",
                     .note = "Bars to the left of zero cost. The number is the return.",
                     .unit = "€/m²"};
    for (const Term& term : kTerms) bars.parts.push_back({.label = term.label, .colour = term.colour});
    for (const json& one : f_.standings) {
      if (one["return"].get<double>() < kOffTheChart) {
        bars.note +=
            std::format(" Not drawn: {}, {:.0f} €/m².", one["label"].get<std::string>(), one["return"].get<double>());
        continue;
      }
      bars.entries.push_back(one["label"]);
      for (std::size_t p = 0; p < kTerms.size(); ++p)
        bars.parts[p].values.push_back(one["terms"][kTerms[p].tag].get<double>());
    }
    return bars;
  }

  // ---- the season; its charts share their pointer and zoom ----

  const SeasonRecord& record() const { return f_.loop->record; }

  Chart season_chart(const std::string& title, const std::string& unit) const {
    return {.title = title,
            .x_label = "day of the season",
            .y_label = unit,
            .x = record().days,
            .x_start = f_.loop->season.start,
            .events = accidents(),
            .group = "season"};
  }

  std::vector<Event> accidents() const {
    std::vector<Event> events;
    for (const Incident& one : f_.loop->season.incidents)
      events.push_back({one.day, one.day, one.what + " killed", Tone::bad});
    return events;
  }

  Series stored(const std::string& tag, const std::string& label, const std::string& unit, int colour) const {
    const auto found = record().values.find(tag);
    return {.label = label,
            .unit = unit,
            .values =
                to_length(found == record().values.end() ? std::vector<double>{} : found->second, record().days.size()),
            .colour = colour};
  }

  Series of_rule(const std::string& column, const std::string& unit) const {
    const auto found = f_.rule_trace.find(column);
    return {
        .label = "tuned rule",
        .unit = unit,
        .values = to_length(found == f_.rule_trace.end() ? std::vector<double>{} : found->second, record().days.size()),
        .hidden = true,
        .dashed = true,
        .colour = kRule};
  }

  Chart climate_chart(const std::string& title, const std::string& tag, const std::string& unit, std::size_t limit,
                      const std::string& outdoor) const {
    Chart chart = season_chart(title, unit);
    const json& band = f_.standings.front()["violations"][limit];
    const double low = band["low"];
    const double high = band["high"];
    chart.bands = {{low > 0.0 ? low : -kOpen, high,
                    low > 0.0 ? std::format("limits {:g} to {:g} {}", low, high, unit)
                              : std::format("limit {:g} {}", high, unit)}};
    chart.series = {of_rule(tag, unit), stored(outdoor, "outdoors", unit, grey), stored(tag, "policy", unit, kPolicy)};
    chart.series[1].hidden = true;
    return chart;
  }

  Chart input_chart(const std::string& title, const std::string& tag, const std::string& unit) const {
    Chart chart = season_chart(title, unit);
    const auto applied = record().applied.find(tag);
    chart.height_px = 170;
    chart.series = {of_rule("set_" + tag, unit),
                    {.label = "written",
                     .unit = unit,
                     .style = Style::step,
                     .values = to_length(applied == record().applied.end() ? std::vector<double>{} : applied->second,
                                         record().days.size()),
                     .colour = kPolicy}};
    chart.series[0].style = Style::step;
    return chart;
  }

  Chart crop_chart() const {
    Chart chart = season_chart("Crop: dry weight", "g/m²");
    Series ours = stored("dry_weight", "policy", "g/m²", kPolicy), theirs = of_rule("dry_weight", "g/m²");
    for (Series* series : {&ours, &theirs})
      for (double& value : series->values) value *= 1e3;
    theirs.hidden = false;
    Series light = stored("global_radiation", "radiation outdoors", "W/m²", amber);
    light.second_axis = true;
    light.hidden = true;
    chart.y_label_second = "W/m²";
    chart.series = {light, theirs, ours};
    return chart;
  }

  Chart economics_chart() const {
    Chart chart = season_chart("Economics so far, by term", "€/m²");
    for (const Term& term : kTerms) {
      Series series = stored(term.tag, term.label, "€/m²", term.colour);
      double sum = 0.0;
      for (double& value : series.values) sum += std::isfinite(value) ? value : 0.0, value = sum;
      chart.series.push_back(std::move(series));
    }
    chart.series.push_back(stored("season_return", "return", "€/m²", kPolicy));
    return chart;
  }

  Section climate() const {
    Section section{.title = "The season, hour by hour"};
    section.text =
        "What the site's historian stored, read back after the harvest. Drag to zoom all plots together, double-click "
        "to see the whole season; click a name below a plot to show the tuned rule or the outdoor climate. Shaded "
        "bands are the limits that the crop's climate should keep to.";
    section.charts = {climate_chart("Temperature", "air_temperature", "°C", 1, "outdoor_temperature"),
                      climate_chart("Relative humidity", "relative_humidity", "%", 2, "outdoor_humidity"),
                      climate_chart("CO₂", "co2", "ppm", 0, "outdoor_co2"),
                      input_chart("Set-point: heating", "heating", "W/m²"),
                      input_chart("Set-point: ventilation", "ventilation", "mm/s"),
                      input_chart("Set-point: CO₂ supply", "co2_supply", "mg/m²/s"),
                      crop_chart(),
                      economics_chart()};
    return section;
  }

  // ---- guard and accidents ----

  Section accidents_section() const {
    Section section{.title = "Guard, connection and accidents"};
    section.text =
        "Only the io process writes to the plant, and every write passes its guard. Twice a process was killed without "
        "warning: the plant's server, which came back from its journal, and the agent, which its supervisor started "
        "again. The plant's clock waits for a decision, so an accident costs wall time and nothing else.";
    section.text += door_text();
    section.tables = {incidents_table(), verdicts_table(), latency_table()};
    section.charts = {guard_chart(), wall_chart(), latency_chart()};
    return section;
  }

  std::string door_text() const {
    const DoorUse& door = f_.loop->season.door;
    return std::format(
        "\n\nAll of it was watched as people watch a site: {}, its administrator, signed in at its gateway with a "
        "password chosen by a link that works once, and made {} calls over HTTPS, {} of which failed.",
        kAdministrator, door.call_us.size(), door.failed);
  }

  Table incidents_table() const {
    Table table{.title = "Accidents",
                .columns = {"killed with SIGKILL", "day", "plant step", "went on after", "at most"},
                .wide = false};
    for (const Incident& one : f_.loop->season.incidents) {
      const bool agent = one.what == "agent";
      const double most = agent ? kAgentRecovery_s : kTwinRecovery_s;
      table.rows.push_back({{agent ? "agent" : "plant's server (twin)"},
                            {std::format("{:.1f}", one.day)},
                            {std::format("{}", one.step)},
                            {time_text(one.recovery_s), tone(one.recovered && one.recovery_s <= most)},
                            {std::format("{:g} s", most)}});
    }
    table.note =
        "The agent: from the kill until its successor's first decision. The server: from its return until "
        "values flowed.";
    return table;
  }

  Table verdicts_table() const {
    Table table{.title = "Verdicts of the guard", .columns = {"outputs", "number"}, .wide = false};
    for (const auto& [action, count] : record().verdicts) table.rows.push_back({{action}, {std::format("{}", count)}});
    for (const auto& [reason, count] : record().reasons)
      table.rows.push_back({{"because: " + reason}, {std::format("{}", count)}});
    table.rows.push_back({{"written outside the limits"},
                          {std::format("{}", record().outside_limits), tone(record().outside_limits == 0)}});
    table.rows.push_back({{"reconnects of the link"}, {std::format("{}", f_.loop->season.last.reconnects)}});
    return table;
  }

  Table latency_table() const {
    Table table{.title = "How fast it decides", .columns = {"from … to", "median", "99 %", "worst"}};
    const auto row = [&table](const char* name, const Quantiles& q) {
      table.rows.push_back({{name}, {time_text(1e-6 * q.p50)}, {time_text(1e-6 * q.p99)}, {time_text(1e-6 * q.worst)}});
    };
    row("observation to proposal, in the agent", record().proposal_us);
    row("proposal to verdict, in the guard", record().verdict_us);
    row("sample received to write sent", record().sample_to_write_us);
    row("write sent to acknowledged by the plant and read back", record().acknowledged_us);
    row("call over HTTPS through the gateway to its answer", quantiles(f_.loop->season.door.call_us));
    return table;
  }

  // Who did what when: a lane an output, a line where proposals were applied as they were, a mark where not.
  Chart guard_chart() const {
    Chart chart = season_chart("Guard events", "");
    chart.note = record().guard_events.empty()
                     ? "Lines: alive, and applied as proposed. Nothing was clamped, held or replaced this season."
                     : "Lines: alive, and applied as proposed. Marks: clamped, held, or replaced by the fallback.";
    chart.height_px = 190;
    chart.lanes = {"plant's server", "agent"};
    for (const auto& [tag, values] : record().applied) chart.lanes.push_back(tag);
    for (std::size_t lane = 0; lane < chart.lanes.size(); ++lane) chart.series.push_back(lane_line(chart, lane));
    for (const Incident& one : f_.loop->season.incidents)
      mark(chart, one.what == "agent" ? 1 : 0, one.step, "killed", orange);
    for (const GuardEvent& event : record().guard_events) {
      const auto lane = static_cast<std::size_t>(std::ranges::find(chart.lanes, event.tag) - chart.lanes.begin());
      if (lane < chart.lanes.size()) mark(chart, lane, event.step, event.action, purple);
    }
    return chart;
  }

  Series lane_line(const Chart& chart, std::size_t lane) const {
    Series line{.label = chart.lanes[lane], .colour = lane < 2 ? grey : green};
    line.values.assign(chart.x.size(), static_cast<double>(lane + 1));
    for (const GuardEvent& event : record().guard_events)
      if (event.tag == chart.lanes[lane] && event.step < line.values.size()) line.values[event.step] = kNothing;
    return line;
  }

  static void mark(Chart& chart, std::size_t lane, std::size_t step, const std::string& label, int colour) {
    Series point{.label = label, .style = Style::points, .colour = colour};
    point.values.assign(chart.x.size(), kNothing);
    if (step >= chart.x.size()) return;
    const auto same = std::ranges::find_if(chart.series, [&](const Series& series) {
      return series.style == Style::points && series.label == label && !std::isfinite(series.values[step]);
    });
    Series& series = same == chart.series.end() ? chart.series.emplace_back(std::move(point)) : *same;
    series.values[step] = static_cast<double>(lane + 1);
  }

  Chart wall_chart() const {
    Chart chart = season_chart("Wall time between two decisions", "ms");
    chart.note =
        "A step of the plant is half an hour; here it is over as soon as both sides are ready. Peaks: the two "
        "accidents.";
    chart.logarithmic = true;
    chart.series = {{.label = "since the decision before",
                     .unit = "ms",
                     .values = record().wall_gap_ms_by_step,
                     .colour = kPolicy}};
    return chart;
  }

  Chart latency_chart() const {
    Chart chart = season_chart("Sample received to write sent", "µs");
    chart.note = "Every decision of the policy.";
    chart.logarithmic = true;
    chart.series = {{.label = "sample to write",
                     .unit = "µs",
                     .style = Style::points,
                     .values = record().sample_to_write_by_step_us,
                     .colour = kPolicy}};
    return chart;
  }

  // ---- other seasons ----

  Section seasons() const {
    Section section{.title = "On seasons it had not seen"};
    const json& gain = f_.paired["gain"];
    section.text = std::format(
        "One season is one tape, so both were judged on {} more: other weather, first days spread over the year, every "
        "physical parameter off by up to 10 % for a whole season, and a forecast that decays to yesterday's weather. "
        "Mean paired gain {:.2f} €/m², 95 % interval {:.2f} to {:.2f} (bootstrap over seasons).",
        gain["seasons"].get<int>(), gain["mean"].get<double>(), gain["mean_interval"][0].get<double>(),
        gain["mean_interval"][1].get<double>());
    if (f_.paired.contains("blind_replay") && f_.paired["blind_replay"].contains("gain_of_seeing"))
      section.text += std::format(
          "\n\nPlaying the inputs of the first season blind on the others earns {:.2f} €/m² a season less than looking "
          "does: what the policy earns, it earns by reacting.",
          f_.paired["blind_replay"]["gain_of_seeing"]["mean"].get<double>());
    const json& ours = f_.paired["seasons"];
    const json& theirs = f_.paired["against"]["seasons"];
    Chart chart{.title = "Return season by season", .x_label = "season", .y_label = "€/m²"};
    Series policy{.label = "policy", .unit = "€/m²", .style = Style::points, .colour = kPolicy};
    Series rule{.label = "tuned rule", .unit = "€/m²", .style = Style::points, .colour = kRule};
    Series difference{.label = "gain", .unit = "€/m²", .style = Style::bars, .colour = green};
    for (std::size_t i = 0; i < ours.size() && i < theirs.size(); ++i) {
      chart.x.push_back(static_cast<double>(i + 1));
      policy.values.push_back(ours[i]["return"]);
      rule.values.push_back(theirs[i]["return"]);
      difference.values.push_back(policy.values.back() - rule.values.back());
    }
    chart.series = {difference, rule, policy};
    section.charts = {chart};
    return section;
  }

  // ---- learning ----

  Section learning() const {
    const policy::Manifest& manifest = f_.manifest;
    Section section{.title = "How it learned"};
    const std::string took =
        f_.training.is_object() ? std::format(", in {:.0f} s", f_.training.value("seconds", 0.0)) : std::string();
    section.text = std::format(
        "{}, seed {}; the best weights by evaluation were those of step {}{}. Trained in {}, every physical parameter "
        "and the forecast's error drawn anew each season; evaluated and validated in weather of other years.",
        manifest.algorithm == "ppo"   ? "PPO"
        : manifest.algorithm == "sac" ? "SAC"
                                      : manifest.algorithm,
        manifest.seed, manifest.steps, took,
        manifest.provenance.contains("weather") ? manifest.provenance.at("weather") : "synthetic weather");
    Table table{.title = "Validation at the end of training",
                .note = manifest.validation.passed ? "Automatic mode takes this policy."
                                                   : "Automatic mode refuses this policy.",
                .columns = {"what", "shown"}};
    for (const std::string& reason : manifest.validation.reasons) {
      const bool failed = reason.starts_with("FAILED: ");
      table.rows.push_back({{failed ? reason.substr(8) : reason}, {failed ? "no" : "yes", tone(!failed)}});
    }
    section.tables = {table};
    if (!f_.curve.steps.empty()) section.charts = learning_charts();
    return section;
  }

  static Series only_known(const std::vector<double>& values, std::string label, int colour) {
    return {.label = std::move(label), .unit = "€/m²", .values = values, .colour = colour};
  }

  std::vector<Chart> learning_charts() const {
    Chart curve{.title = "Learning curve",
                .note =
                    "Mean return of a season: of the latest episodes while exploring, and of the policy by itself "
                    "on seasons that are not trained on.",
                .x_label = "environment steps",
                .y_label = "€/m²",
                .x = f_.curve.steps,
                .group = "training"};
    Series exploring = only_known(f_.curve.exploring, "while exploring", grey),
           evaluated = only_known(f_.curve.evaluated, "evaluated", kPolicy);
    exploring.joined = evaluated.joined = true;
    curve.series = {exploring, evaluated};
    Chart terms{.title = "What it learned, by term",
                .note = "Of the evaluations.",
                .x_label = "environment steps",
                .y_label = "€/m²",
                .x = f_.curve.steps,
                .group = "training"};
    for (const Term& term : kTerms) {
      const auto found = f_.curve.terms.find(term.tag);
      if (found == f_.curve.terms.end()) continue;
      terms.series.push_back(only_known(found->second, term.label, term.colour));
      terms.series.back().joined = true;
    }
    return {curve, terms};
  }

  // ---- the end ----

  Section claims() const {
    Section section{.title = "What this run had to show"};
    Table table{.columns = {"claim", "shown", "how"}};
    for (const Check& check : f_.checks)
      table.rows.push_back({{check.name}, {check.passed ? "yes" : "no", tone(check.passed)}, {check.detail}});
    section.tables = {table};
    return section;
  }

  Section repeat() const {
    Section section{.title = "Run it again"};
    Table table{.note = "The demo is these commands, in this order.", .columns = {"what", "command"}, .text = true};
    for (const auto& [what, command] : f_.commands) table.rows.push_back({{what}, {command}});
    section.tables = {table};
    return section;
  }

  const Findings& f_;
};

}  // namespace

std::string report_page(const Findings& findings, const std::string& created) {
  return report::render_html(Page(findings).make(created));
}

}  // namespace rltune::demo
