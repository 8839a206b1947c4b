// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.placement C1
comm.mesh @mesh <["ep"=4]>
// expected-error@+1 {{expected slots of 4 ranks, but got 3}}
moe.placement @placement_ranks experts 3 over {"ep"} of @mesh slots [[0], [1], [2]]

// -----

// moe.placement C2
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected experts from 0 to 2 or -1 on rank 1, but got 3}}
moe.placement @placement_expert_out_of_range experts 3 over {"ep"} of @mesh slots [[0, 1], [2, 3]]

// -----

// moe.placement C3
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected a slot for every expert, but expert 2 has none}}
moe.placement @placement_loses_expert experts 4 over {"ep"} of @mesh slots [[0, 1], [3, -1]]

// -----

// moe.placement C4
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected each expert once a rank, but got expert 1 twice on rank 0}}
moe.placement @placement_repeats_expert experts 3 over {"ep"} of @mesh slots [[0, 1, 1], [2]]

// -----

// moe.placement C5
// expected-error@+1 {{expected a mesh named @mesh}}
moe.placement @placement_no_mesh experts 2 over {"ep"} of @mesh slots [[0], [1]]

// -----

comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected at least one expert, but got 0}}
moe.placement @placement_of_nothing experts 0 over {"ep"} of @mesh slots [[], []]

// -----

// moe.placement C6
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected replica tables of experts with several slots, but got one of expert 1}}
moe.placement @placement_table_of_single_slot experts 2 over {"ep"} of @mesh slots [[0, 1], [0]] replicas [1: [on 0 from 0]]

// -----

// moe.placement C6
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected replica tables by ascending expert, but got expert 0 after expert 1}}
moe.placement @placement_tables_descend experts 2 over {"ep"} of @mesh slots [[0, 1], [0, 1]] replicas [1: [on 0 from 0], 0: [on 1 from 0]]

// -----

// moe.placement C7
comm.mesh @mesh <["ep"=3]>
// expected-error@+1 {{expected the table of expert 0 to name ranks that host it, but got rank 2}}
moe.placement @placement_table_of_other_rank experts 2 over {"ep"} of @mesh slots [[0], [0], [1]] replicas [0: [on 0 from 0, on 2 from 1]]

// -----

// moe.placement C8
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected source ranks from 0 to 1 in the table of expert 0, but got 2}}
moe.placement @placement_table_of_other_source experts 1 over {"ep"} of @mesh slots [[0], [0]] replicas [0: [on 0 from 0, on 1 from 2]]

// -----

comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected the table of expert 0 to begin at source rank 0, class 0}}
moe.placement @placement_table_begins_late experts 1 over {"ep"} of @mesh slots [[0], [0]] replicas [0: [on 0 from 0 class 1]]

// -----

comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected the entries of expert 0 to ascend, but source rank 1, class 0 does not follow source rank 1, class 4}}
moe.placement @placement_table_unordered experts 1 over {"ep"} of @mesh slots [[0], [0]] replicas [0: [on 0 from 0, on 1 from 1 class 4, on 0 from 1]]

// -----

comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected a token class from 0 to 63, but got 64}}
moe.placement @placement_class_out_of_range experts 1 over {"ep"} of @mesh slots [[0], [0]] replicas [0: [on 0 from 0, on 1 from 0 class 64]]

// -----

// moe.placement C3
comm.mesh @mesh <["ep"=2]>
// expected-error@+1 {{expected a slot for each of the 99999999999 experts, but got 2 slots}}
moe.placement @placement_of_too_many experts 99999999999 over {"ep"} of @mesh slots [[0], [1]]
