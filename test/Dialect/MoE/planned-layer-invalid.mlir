// RUN: moe-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{'moe.layers': expected an array of #moe.planned_layer, but got 3}}
func.func private @no_list() attributes {moe.layers = 3}

// -----

// expected-error @below {{'moe.layers': expected an array of #moe.planned_layer, but got [3]}}
func.func private @no_layer() attributes {moe.layers = [3]}

// -----

// expected-error @below {{expected positive numbers of bytes a row}}
func.func private @no_bytes() attributes {moe.layers = [#moe.planned_layer<0 by @x at @p sends [0] returns [4]>]}

// -----

// expected-error @below {{expected the number of a layer, but got -1}}
func.func private @no_number() attributes {moe.layers = [#moe.planned_layer<"a" number -1 by @x at @p sends [4] returns [4]>]}

// -----

// expected-error @below {{expected string}}
func.func private @no_name() attributes {moe.layers = [#moe.planned_layer<by @x>]}

// -----

// expected-error @below {{expected 'returns'}}
func.func private @no_returns() attributes {moe.layers = [#moe.planned_layer<0 by @x at @p sends [4]>]}
