// The learner role: rltune-learner --site SITE.yaml --agent ID --run-folder DIR. Started by coredinator.
#include "../agent/role.hpp"
#include "rltune/agent/learner_role.hpp"

int main(int argc, char** argv) {
  return rltune::agent::main_of({.about = "improves one policy beside its loop; started by 'rltune up'",
                                 .name = "learner",
                                 .run = rltune::agent::run_learner},
                                argc, argv);
}
