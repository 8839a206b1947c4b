// RUN: moe-opt %s --split-input-file --verify-diagnostics --moe-insert-all-to-all

comm.mesh @mesh <["ep"=3]>
moe.exchange @x0 flat_exact bound 41
func.func private @elsewhere(!moe.layout<3 ranks x 5 slots>)
func.func @layout_used_elsewhere(%e: tensor<?x2xi32>, %p: !moe.placement_ref<7 experts>, %first: index) {
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<3 ranks x 5 slots>
  // expected-error @below {{cannot lower a use of a dispatch layout}}
  call @elsewhere(%l) : (!moe.layout<3 ranks x 5 slots>) -> ()
  return
}

// -----

comm.mesh @mesh <["ep"=3]>
moe.exchange @x0 flat_exact bound 41
func.func @layout_of_other_ranks(%e: tensor<?x2xi32>, %p: !moe.placement_ref<7 experts>, %first: index) {
  // expected-error @below {{expected a layout of 3 ranks, but got '!moe.layout<6 ranks x 5 slots>'}}
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<6 ranks x 5 slots>
  return
}
