// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.topology C1
// expected-error@+1 {{expected at least one tier}}
comm.topology @topology_no_tier tiers []

// -----

// comm.topology C2
// expected-error@+1 {{expected distinct tiers, but got "ib" twice}}
comm.topology @topology_equal_tiers tiers [ib: 2 x 50.0 GB/s 5.0 us, ib: 4 x 370.8 GB/s 1.5 us]

// -----

// expected-error@+1 {{expected tier 'ib' to join at least one part, but got 0}}
comm.topology @tier_empty tiers [ib: 0 x 50.0 GB/s 5.0 us]

// -----

// expected-error@+1 {{expected tier 'ib' to have a positive bandwidth, but got}}
comm.topology @tier_no_bandwidth tiers [ib: 2 x 0.0 GB/s 5.0 us]

// -----

// expected-error@+1 {{expected tier 'ib' to have a latency of at least 0, but got}}
comm.topology @tier_negative_latency tiers [ib: 2 x 50.0 GB/s -5.0 us]

// -----

// comm.mesh C1
// expected-error@+1 {{expected axis "ep" to have a positive size, but got 0}}
comm.mesh @mesh_empty_axis <["dp"=2, "ep"=0]>

// -----

// comm.mesh C1
// expected-error@+1 {{expected distinct axes, but got "ep" twice}}
comm.mesh @mesh_equal_axes <["ep"=2, "ep"=3]>

// -----

// comm.mesh C2
// expected-note@+1 {{the topology is here}}
comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
// expected-error@+1 {{expected the product of the axes to be the device count of the topology, but got 6 and 8}}
comm.mesh @mesh_other_count <["dp"=2, "ep"=3]> on @cluster

// -----

// comm.mesh C2
// expected-error@+1 {{expected a topology named @cluster}}
comm.mesh @mesh_no_topology <["dp"=2, "ep"=3]> on @cluster

// -----

// comm.mesh C3
// expected-error@+1 {{expected 'order' to be a permutation of the 4 devices}}
comm.mesh @mesh_order_repeats <["ep"=4]> order [0, 1, 1, 3]

// -----

// comm.mesh C3
// expected-error@+1 {{expected 'order' to be a permutation of the 4 devices}}
comm.mesh @mesh_order_short <["ep"=4]> order [0, 1, 2]

// -----

// comm.mesh C1
// expected-error@+1 {{expected at least one axis}}
comm.mesh @mesh_no_axis <[]>

// -----

// comm.mesh C4
// expected-error@+1 {{expected at most 2147483647 ranks}}
comm.mesh @mesh_product_overflows <["dp"=4294967296, "ep"=4294967296]>

// -----

// comm.mesh C4
// expected-error@+1 {{expected at most 2147483647 ranks}}
comm.mesh @mesh_too_many_ranks <["dp"=46341, "ep"=46341]>

// -----

// comm.topology C3
// expected-error@+1 {{expected at most 2147483647 devices}}
comm.topology @topology_too_many_devices tiers [ib: 3000000000 x 50.0 GB/s 5.0 us]

// -----

// expected-error@+1 {{expected tier 'ib' to have a positive bandwidth, but got}}
comm.topology @tier_infinite_bandwidth tiers [ib: 2 x 1.0e999 GB/s 5.0 us]
