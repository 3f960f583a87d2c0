// The agent role: rltune-agent --site SITE.yaml --agent ID --run-folder DIR. Started by coredinator.
#include "role.hpp"

int main(int argc, char** argv) {
  return rltune::agent::main_of({.about = "one policy at work on a site; started by 'rltune up'",
                                 .name = "agent",
                                 .first = true,
                                 .run = rltune::agent::run_agent},
                                argc, argv);
}
