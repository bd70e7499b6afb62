export const orchestrator = {};
