// What the site recorded: tags, samples, rollups, read where they are written and passed on in pages.
#pragma once

#include "call.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/bus/caller.hpp"
#include "workers.hpp"

namespace rltune::gateway {

// All outlive the handlers. The workers make JSON of pages.
struct Reading {
  bus::Caller& caller;
  Workers& workers;
  const Clock& clock;
};

// Of the operations listTags, listSamples and listRollups.
Handlers history_handlers(const Reading& reading);

}  // namespace rltune::gateway
