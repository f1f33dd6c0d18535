/**
 * The functions between the two layers of an MLP, with transformers' names: x Φ(x) with the normal distribution's Φ,
 * its approximation by tanh (Hendrycks and Gimpel 2016, "Gaussian Error Linear Units"), max(x, 0), and x σ(x) with the
 * logistic function σ.
 */
export type Activation = "gelu" | "gelu_new" | "relu" | "silu";

/** The names in `config.json` that are read. In float32, the three forms of the tanh approximation are equal. */
export const ACTIVATION_BY_NAME = {
	gelu: "gelu",
	gelu_new: "gelu_new",
	gelu_pytorch_tanh: "gelu_new",
	gelu_fast: "gelu_new",
	relu: "relu",
	silu: "silu",
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATION_BY_NAME;
