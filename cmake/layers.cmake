# The architecture on one screen: every module, in order, and whom it may use.
# The build enforces it: an edge that is not here stops the configuration.
set(RLTUNE_MAY_USE_base)
set(RLTUNE_MAY_USE_config       base)
set(RLTUNE_MAY_USE_bus          base)
set(RLTUNE_MAY_USE_nn           base)
set(RLTUNE_MAY_USE_env          base)
set(RLTUNE_MAY_USE_rl           base nn env)
set(RLTUNE_MAY_USE_dataset      base env rl)
set(RLTUNE_MAY_USE_controllers  base env)
set(RLTUNE_MAY_USE_policy       base nn env rl controllers)
set(RLTUNE_MAY_USE_guard        base config)
set(RLTUNE_MAY_USE_evaluation   base config env controllers guard)
set(RLTUNE_MAY_USE_pipeline     base config env)
set(RLTUNE_MAY_USE_historian    base)
set(RLTUNE_MAY_USE_plant        base config)
set(RLTUNE_MAY_USE_twin         base env plant)
set(RLTUNE_MAY_USE_keeper       base)
set(RLTUNE_MAY_USE_coredinator  base bus config)
set(RLTUNE_MAY_USE_io           base bus config env controllers pipeline plant guard historian)
set(RLTUNE_MAY_USE_experience   base config env dataset pipeline policy historian)
set(RLTUNE_MAY_USE_agent        base bus config nn rl env controllers policy pipeline historian experience)
set(RLTUNE_MAY_USE_runs         base)
set(RLTUNE_MAY_USE_report       base)

set(RLTUNE_MODULES base config bus nn env rl dataset controllers policy guard evaluation pipeline historian plant twin
                   keeper coredinator io experience agent runs report)
# Modules of the control path: compiled without exceptions.
set(RLTUNE_REALTIME nn guard)
