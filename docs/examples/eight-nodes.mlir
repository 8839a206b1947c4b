// Eight nodes of eight H100s: NVLink inside a node (18 links of 20.6 GB/s each
// way), one 400 Gb/s network card a GPU between the nodes.
comm.topology @cluster tiers [ib: 8 x 50.0 GB/s 5.0 us, nvlink: 8 x 370.8 GB/s 1.5 us]
