/** The contract's exit codes; docs/experiment.md. */
export const Exit = { done: 0, failed: 1, wrongInput: 2, noBackend: 3, interrupted: 130 } as const;
