// kill -9 of the telemetry role under load, again and again: what it acknowledged is on disk, nothing else is, and what
// is there twice carries the same id.
#include <map>

#include "http_load.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/random.hpp"
#include "rltune/telemetry/record_reader.hpp"
#include "telemetry_parts.hpp"
#include "telemetry_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 20261122;
constexpr std::size_t kSenders = 4, kRecordsMax = 40, kRecordBytes = 256;
// So often the kill comes while it starts, and not under load.
constexpr double kWhileStarting = 0.2;

class Ledger {
 public:
  // A body of new entries, or of those that were sent and not acknowledged: a sender that asks again.
  std::string next(std::size_t sender, Random& random) {
    std::vector<std::uint64_t>& ids = under_way_[sender];
    if (ids.empty())
      for (std::size_t count = 1 + random.below(kRecordsMax); count > 0; --count) {
        ids.push_back(acknowledged_.size());
        acknowledged_.push_back(false);
        seen_.push_back(0);
      }
    std::string body;
    for (const std::uint64_t id : ids) body += log_line(id, kRecordBytes);
    return body;
  }
  void answered(const HttpLoad::Answer& answer) {
    if (answer.status != 202) return;
    for (const std::uint64_t id : under_way_[answer.sender]) acknowledged_[id] = true;
    under_way_[answer.sender].clear();
  }
  void found(std::uint64_t id) {
    if (id >= seen_.size())
      ++invented_;
    else if (seen_[id] < 255)
      ++seen_[id];
  }
  std::uint64_t sent() const { return acknowledged_.size(); }
  std::uint64_t acknowledged() const { return static_cast<std::uint64_t>(std::ranges::count(acknowledged_, true)); }
  std::uint64_t lost() const {
    std::uint64_t count = 0;
    for (std::size_t id = 0; id < seen_.size(); ++id) count += acknowledged_[id] && seen_[id] == 0 ? 1U : 0U;
    return count;
  }
  std::uint64_t duplicates() const {
    std::uint64_t count = 0;
    for (const std::uint8_t times : seen_) count += times > 1 ? times - 1U : 0U;
    return count;
  }
  std::uint64_t invented() const { return invented_; }

 private:
  std::map<std::size_t, std::vector<std::uint64_t>> under_way_;
  std::vector<bool> acknowledged_;
  std::vector<std::uint8_t> seen_;
  std::uint64_t invented_ = 0;
};

void kill_under_load(TelemetrySite& site, Ledger& ledger, Random& random) {
  site.start();
  HttpLoad load({.port = site.port()}, kSenders);
  std::jthread killer([pid = site.pid(), after = std::chrono::microseconds(random.below(40'000))] {
    std::this_thread::sleep_for(after);
    ::kill(pid, SIGKILL);
  });
  Random own(random.below(1U << 30U));
  load.run([&](std::size_t sender) { return log_request(site.token(), ledger.next(sender, own)); },
           [&](const HttpLoad::Answer& answer) { ledger.answered(answer); }, 30s);
  killer.join();
  site.kill();
}

// The role keeps what it logs itself as well.
bool is_ours(std::string_view payload) { return payload.contains(R"("service":"corerl")"); }

std::uint64_t id_of(std::string_view payload) {
  const std::size_t at = payload.find(R"("id":")");
  return at == std::string_view::npos ? ~std::uint64_t{0} : std::stoull(std::string(payload.substr(at + 6, 12)));
}

// What is on disk since `next`, each number once.
std::uint64_t read_all(const TelemetrySite& site, Ledger& ledger) {
  auto reader = telemetry::open_to_read(site.data() / "logs");
  if (!reader) give_up(reader.error().message);
  std::uint64_t gaps = 0;
  for (std::uint64_t next = 1; next <= (*reader)->acknowledged();) {
    const auto batch = (*reader)->read(next, std::size_t{1} << 20U);
    if (!batch) give_up(batch.error().message);
    for (const auto& range : batch->lost) gaps += range.count();
    for (const auto& record : batch->records)
      if (is_ours(record.payload)) ledger.found(id_of(record.payload));
    next = batch->next;
  }
  return gaps;
}

}  // namespace

Rows telemetry_kills(double kills) {
  std::println(stderr, "seed {}", kSeed);
  TelemetrySite site("metrics: {enabled: false}\n");
  Random random(kSeed);
  Ledger ledger;
  const WallClock clock;
  std::vector<double> starts_ms;
  for (int i = 0; i < static_cast<int>(kills); ++i) {
    if (random.uniform(0.0, 1.0) < kWhileStarting) {
      site.spawn();
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(30'000)));
      site.kill();
      continue;
    }
    kill_under_load(site, ledger, random);
    if (i % 500 == 0) std::println(stderr, "{} kills, {} records acknowledged", i, ledger.acknowledged());
  }
  const Duration begin = clock.steady();
  site.start();
  const double start_s = to_seconds(clock.steady() - begin);
  site.stop();
  const std::uint64_t gaps = read_all(site, ledger);
  return {single("kill -9 of the role under load, or while it starts", "", kills),
          single("records acknowledged", "", static_cast<double>(ledger.acknowledged())),
          single("of these lost", "", static_cast<double>(ledger.lost()), 0.0),
          single("numbers missing in the buffer", "", static_cast<double>(gaps), 0.0),
          single("records that nobody sent", "", static_cast<double>(ledger.invented()), 0.0),
          single("copies, each with the id of its first: sent again by a sender that had no answer", "",
                 static_cast<double>(ledger.duplicates())),
          single("the start after the last kill, with all of them in the buffer", "s", start_s, 5.0)};
}

}  // namespace rltune::bench
