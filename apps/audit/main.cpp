// rltune-audit serves the noun audit: what was decided, by whom, and whether it can be computed again.
#include <cstdio>
#include <exception>
#include <print>

#include "audit.hpp"
#include "rltune/base/log.hpp"

namespace rltune::audit {

void stop(int status, const std::string& message) {
  std::println(stderr, "rltune: {}", message);
  throw Exit{status};
}

void stop(const Error& error) { stop(kFailed, error.message); }

}  // namespace rltune::audit

int main(int argc, char** argv) {
  using namespace rltune::audit;
  rltune::log::start("audit");
  CLI::App app{"Decisions of a site: show and replay.", "rltune audit"};
  app.require_subcommand(1);
  add_show_command(app);
  add_replay_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  } catch (const Exit& exit) {
    return exit.status;
  } catch (const std::exception& error) {
    std::println(stderr, "rltune: {}", error.what());
    return kFailed;
  }
  return kDone;
}
