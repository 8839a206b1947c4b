# From a configuration to a bundle on four ranks.
execute_process(COMMAND_ERROR_IS_FATAL ANY
  COMMAND ${TRANSLATE} --import-hf-config ${CONFIG} -o ${BUNDLE}.mlir)
execute_process(COMMAND_ERROR_IS_FATAL ANY
  COMMAND ${COMPILE} ${BUNDLE}.mlir --ranks=4 -o ${BUNDLE}.moe)
