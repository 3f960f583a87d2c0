#include "rltune/io/lockstep_barrier.hpp"

#include <algorithm>
#include <limits>

#include "rltune/base/check.hpp"

namespace rltune::io {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

bool published_every_step(const config::Tag& tag) {
  return tag.role == config::TagRole::measurement || tag.role == config::TagRole::exogenous ||
         tag.role == config::TagRole::forecast;
}

// What we decide from besides: the set-points in force, which the plant tells once and then only when they change.
bool published_once(const config::Tag& tag) { return tag.role == config::TagRole::setpoint; }

}  // namespace

LockstepBarrier::LockstepBarrier(const config::Site& site) {
  if (site.clock != config::ClockKind::plant) return;
  const auto step_tag = site.find_tag(site.plant_clock.step);
  RLTUNE_CHECK(step_tag.has_value());  // load_site() refuses a site without it
  enabled_ = true;
  step_tag_ = *step_tag;
  std::size_t next = 0;
  for (const config::Tag& tag : site.tags) {
    const bool awaited = published_every_step(tag) || published_once(tag);
    first_.push_back(awaited ? next : kNone);
    elements_.push_back(tag.elements);
    once_.push_back(published_once(tag));
    if (awaited) next += tag.elements;
  }
  times_.resize(next, TimePoint::min());
}

bool LockstepBarrier::add(const Sample& sample) noexcept {
  if (!enabled_ || sample.tag >= first_.size()) return false;
  if (sample.tag == step_tag_) {
    if (sample.quality != Quality::good) return false;
    newest_step_ = static_cast<std::int64_t>(sample.value);
    newest_time_ = sample.source_time;
    behind_ =
        static_cast<std::size_t>(std::ranges::count_if(times_, [this](TimePoint time) { return time < newest_time_; }));
    return completed();
  }
  if (first_[sample.tag] == kNone || sample.element >= elements_[sample.tag]) return false;
  update(first_[sample.tag] + sample.element, once_[sample.tag] ? TimePoint::max() : sample.source_time);
  return completed();
}

void LockstepBarrier::update(std::size_t index, TimePoint time) noexcept {
  if (time <= times_[index]) return;
  if (times_[index] < newest_time_ && time >= newest_time_ && behind_ > 0) --behind_;
  times_[index] = time;
}

bool LockstepBarrier::completed() noexcept {
  if (newest_step_ < 0 || behind_ > 0 || newest_step_ == step_) return false;
  step_ = newest_step_;
  step_time_ = newest_time_;
  return true;
}

}  // namespace rltune::io
