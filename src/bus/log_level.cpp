#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/operations.pb.h"

namespace rltune::bus {

void serve_log_level(Server& server, const std::string& kind) {
  server.handle<v1::LogLevelRequest, v1::LogLevelAnswer>(
      kind + ".LogLevel",
      [](const Call& call, const v1::LogLevelRequest& request, v1::LogLevelAnswer& answer) -> Result<> {
        answer.set_was(log::name_of(log::level()));
        if (!request.level().empty()) {
          const auto level = log::parse_level(request.level());
          if (!level) return std::unexpected(level.error());
          // Said at the level that is always written, or quietening a role would leave no trace of itself.
          log::critical("log level changed", {{"of", std::string(call.target)},
                                              {"to", log::name_of(*level)},
                                              {"was", answer.was()},
                                              {"user", request.user()}});
          log::set_level(*level);
        }
        answer.set_level(log::name_of(log::level()));
        return {};
      });
}

}  // namespace rltune::bus
