// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.topology C4
// expected-error@+1 {{expected 'node' and 'links' together, but got only 'node'}}
comm.topology @topology_node_alone tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu]

// -----

// comm.topology C4
// expected-error@+1 {{expected 'node' and 'links' together, but got only 'links'}}
comm.topology @topology_links_alone tiers [a: 1 x 1.0 GB/s 1.0 us] links []

// -----

// comm.topology C5
// expected-error@+1 {{expected distinct vertices, but got "gpu0" twice}}
comm.topology @topology_equal_vertices tiers [a: 2 x 1.0 GB/s 1.0 us] node [gpu0: gpu, gpu0: gpu] links []

// -----

// comm.topology C5
// expected-error@+1 {{expected a GPU among the vertices of the node}}
comm.topology @topology_no_gpu tiers [a: 2 x 1.0 GB/s 1.0 us] node [cpu0: cpu] links []

// -----

// comm.topology C6
// expected-error@+1 {{expected links between vertices of the node, but got "cpu1"}}
comm.topology @topology_link_nowhere tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu] links [gpu0 to cpu1: pcie 24.0 GB/s]

// -----

// comm.topology C7
// expected-error@+1 {{expected the innermost tiers to hold the 2 GPUs of a node, but got 3}}
comm.topology @topology_too_many_gpus tiers [net: 2 x 1.0 GB/s 1.0 us, a: 3 x 1.0 GB/s 1.0 us] node [gpu0: gpu, gpu1: gpu] links [gpu0 to gpu1: nvlink 24.0 GB/s]

// -----

// expected-error@+1 {{expected tier 'a' to be shared by at least one device, but got 0}}
comm.topology @tier_shared_by_none tiers [a: 1 x 1.0 GB/s 1.0 us shared_by 0]

// -----

// expected-error@+1 {{expected a kind of vertex, but got 'tpu'}}
comm.topology @vertex_unknown_kind tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: tpu] links []

// -----

// expected-error@+1 {{expected vertex "gpu0" to be of a host of at least 0, but got -1}}
comm.topology @vertex_negative_host tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu host -1] links []

// -----

// expected-error@+1 {{expected vertex "nic0" to have a positive speed, but got 0.000000e+00 GB/s}}
comm.topology @vertex_no_speed tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu, nic0: nic speed 0.0 GB/s] links []

// -----

// expected-error@+1 {{expected a kind of link, but got 'wire'}}
comm.topology @link_unknown_kind tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu, cpu0: cpu] links [gpu0 to cpu0: wire 1.0 GB/s]

// -----

// expected-error@+1 {{expected a link between two vertices, but got "gpu0" twice}}
comm.topology @link_to_itself tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu] links [gpu0 to gpu0: nvlink 1.0 GB/s]

// -----

// expected-error@+1 {{expected the link from "gpu0" to "cpu0" to have a positive bandwidth, but got -1.000000e+00 GB/s}}
comm.topology @link_negative_bandwidth tiers [a: 1 x 1.0 GB/s 1.0 us] node [gpu0: gpu, cpu0: cpu] links [gpu0 to cpu0: pcie 1.0 GB/s back -1.0 GB/s]
