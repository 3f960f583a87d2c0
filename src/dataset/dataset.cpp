#include "rltune/dataset/dataset.hpp"

#include <array>
#include <cmath>
#include <format>
#include <fstream>
#include <limits>
#include <numeric>

#include "bounds.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::dataset {
namespace {

constexpr std::string_view kFormat = "rltune/dataset/v1";
constexpr std::string_view kArchiveBegins = "RLTUNE-ARCHIVE";
constexpr std::string_view kHdf5Begins = "\x89HDF\r\n\x1a\n";

std::unexpected<Error> fault(std::size_t episode, std::string_view field, std::string_view what) {
  return fail(Errc::corrupt, std::format("episode {}, {}: {}", episode, field, what));
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

Result<> check_actions(const Dataset& dataset, std::size_t index) {
  for (const float action : dataset.episodes[index].actions) {
    const bool good =
        dataset.discrete_actions > 0
            ? action >= 0.0F && action < static_cast<float>(dataset.discrete_actions) && action == std::floor(action)
            : std::abs(action) <= 1.0F;
    if (good) continue;
    return fault(index, "actions",
                 std::format("{} is not {}", action,
                             dataset.discrete_actions > 0 ? std::format("an index below {}", dataset.discrete_actions)
                                                          : "in [-1, 1]"));
  }
  return {};
}

Result<> check_episode(const Dataset& dataset, std::size_t index) {
  const Episode& episode = dataset.episodes[index];
  const std::size_t steps = episode.steps(), d = dataset.observation.size(), a = dataset.action.size();
  if (steps == 0) return fault(index, "rewards", "there is no step");
  if (episode.observations.size() != (steps + 1) * d)
    return fault(index, "observations",
                 std::format("{} numbers, not {} rows of {}", episode.observations.size(), steps + 1, d));
  if (episode.actions.size() != steps * a)
    return fault(index, "actions", std::format("{} numbers, not {} rows of {}", episode.actions.size(), steps, a));
  if (!all_finite(episode.observations)) return fault(index, "observations", "a number is not finite");
  if (!all_finite(episode.rewards)) return fault(index, "rewards", "a number is not finite");
  return check_actions(dataset, index);
}

// How many things follow in an archive. Each takes a byte at least, so that a wrong number ends where the bytes do.
std::size_t archive_count(Archive& archive, std::size_t count) {
  std::uint64_t stored = count;
  archive.value(stored);
  if (stored > kNumbersMax) archive.refuse("a number of things in it cannot be");
  return archive.result() ? stored : 0;
}

void archive_space(Archive& archive, env::Space& space) {
  const std::size_t count = archive_count(archive, space.size());
  if (archive.reading()) space.clear();
  for (std::size_t i = 0; i < count && archive.result(); ++i) {
    if (archive.reading()) space.emplace_back();
    env::Variable& variable = space[i];
    archive.text(variable.name);
    archive.text(variable.unit);
    archive.text(variable.description);
    archive.value(variable.low);
    archive.value(variable.high);
  }
}

void archive_metadata(Archive& archive, std::map<std::string, std::string>& metadata) {
  std::vector<std::pair<std::string, std::string>> entries(metadata.begin(), metadata.end());
  const std::size_t count = archive_count(archive, entries.size());
  for (std::size_t i = 0; i < count && archive.result(); ++i) {
    if (archive.reading()) entries.emplace_back();
    archive.text(entries[i].first);
    archive.text(entries[i].second);
  }
  metadata = {entries.begin(), entries.end()};
}

void archive_dataset(Archive& archive, Dataset& dataset) {
  archive.text(dataset.name);
  archive_space(archive, dataset.observation);
  archive_space(archive, dataset.action);
  std::uint64_t choices = dataset.discrete_actions;
  archive.value(choices);
  dataset.discrete_actions = choices;
  archive_metadata(archive, dataset.metadata);
  const std::size_t count = archive_count(archive, dataset.episodes.size());
  for (std::size_t i = 0; i < count && archive.result(); ++i) {
    if (archive.reading()) dataset.episodes.emplace_back();
    Episode& episode = dataset.episodes[i];
    archive.resized(episode.observations);
    archive.resized(episode.actions);
    archive.resized(episode.rewards);
    std::uint8_t terminated = episode.terminated ? 1 : 0;
    archive.value(terminated);
    episode.terminated = terminated != 0;
  }
}

}  // namespace

std::size_t Dataset::transitions() const noexcept {
  return std::accumulate(episodes.begin(), episodes.end(), std::size_t{0},
                         [](std::size_t sum, const Episode& episode) { return sum + episode.steps(); });
}

void measure_observations(Dataset& dataset) {
  const std::size_t width = dataset.observation.size();
  for (std::size_t i = 0; i < width; ++i) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Episode& episode : dataset.episodes)
      for (std::size_t at = i; at < episode.observations.size(); at += width) {
        low = std::min(low, static_cast<double>(episode.observations[at]));
        high = std::max(high, static_cast<double>(episode.observations[at]));
      }
    if (!std::isfinite(low) || !std::isfinite(high)) low = high = 0.0;
    dataset.observation[i].low = low;
    dataset.observation[i].high = high > low ? high : low + 1.0;
  }
}

Result<> check(const Dataset& dataset) {
  if (dataset.observation.empty()) return fail(Errc::corrupt, "the data set has no observations");
  if (dataset.action.empty()) return fail(Errc::corrupt, "the data set has no actions");
  if (dataset.discrete_actions > kChoicesMax || (dataset.discrete_actions > 0 && dataset.action.size() != 1))
    return fail(Errc::corrupt, "the data set's discrete actions cannot be");
  if (dataset.episodes.empty()) return fail(Errc::corrupt, "the data set has no episodes");
  for (std::size_t i = 0; i < dataset.episodes.size(); ++i)
    if (auto good = check_episode(dataset, i); !good) return good;
  return {};
}

Result<> save(const Dataset& dataset, const std::filesystem::path& path) {
  if (auto good = check(dataset); !good) return good;
  Archive archive = Archive::writer(kFormat);
  Dataset written = dataset;
  archive_dataset(archive, written);
  return archive.write(path);
}

Result<Dataset> load(const std::filesystem::path& path) {
  auto archive = Archive::read(path, kFormat);
  if (!archive) return std::unexpected(archive.error());
  Dataset dataset;
  archive_dataset(*archive, dataset);
  if (auto read = archive->result(); !read) return std::unexpected(read.error());
  if (auto good = check(dataset); !good)
    return fail(good.error().code, std::format("{}: {}", path.string(), good.error().message));
  return dataset;
}

Result<Dataset> read(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return read_minari(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::not_found, std::format("{} cannot be read", path.string()));
  std::array<char, 16> head{};
  file.read(head.data(), head.size());
  const std::string_view begins(head.data(), static_cast<std::size_t>(file.gcount()));
  if (begins.starts_with(kHdf5Begins)) return read_minari(path);
  if (begins.starts_with(kArchiveBegins)) return load(path);
  return read_csv(path);
}

void feed(const Dataset& dataset, rl::Learner& learner) {
  const std::size_t d = dataset.observation.size(), a = dataset.action.size();
  for (const Episode& episode : dataset.episodes) {
    const std::span observations(episode.observations), actions(episode.actions), rewards(episode.rewards);
    for (std::size_t step = 0; step < episode.steps(); ++step) {
      const bool last = step + 1 == episode.steps();
      const std::uint8_t terminated = last && episode.terminated ? 1 : 0,
                         truncated = last && !episode.terminated ? 1 : 0;
      learner.observe({observations.subspan(step * d, d),
                       actions.subspan(step * a, a),
                       rewards.subspan(step, 1),
                       observations.subspan((step + 1) * d, d),
                       {&terminated, 1},
                       {&truncated, 1}});
    }
  }
}

std::string digest(const Dataset& dataset) {
  Archive archive = Archive::writer(kFormat);
  Dataset written = dataset;
  archive_dataset(archive, written);
  return sha256(archive.written());
}

std::vector<double> returns(const Dataset& dataset) {
  std::vector<double> sums;
  for (const Episode& episode : dataset.episodes)
    sums.push_back(std::accumulate(episode.rewards.begin(), episode.rewards.end(), 0.0,
                                   [](double sum, float reward) { return sum + static_cast<double>(reward); }));
  return sums;
}

}  // namespace rltune::dataset
