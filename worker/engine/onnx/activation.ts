import type { Activation } from "../../../shared/model/activation.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import type { Pass } from "./pass.ts";

/** Factor and cubic coefficient in GELU's approximation by tanh: x / 2 * (1 + tanh(a (x + b x^3))). */
const A = Math.sqrt(2 / Math.PI);
const B = 0.044715;

/**
 * Applies an activation, in operators of the ONNX standard. Runtimes recognise their order and replace them by one
 * operator.
 */
export function addActivation(graph: GraphBuilder, activation: Activation, x: Value): Value {
	if (activation !== "gelu_new") return FORMS[activation](operations(graph), x).value;
	const { times, plus } = operations(graph);
	const inner = graph.op("Add", [x, times(times(times(x, x), x), B)]);
	return times(times(x, 0.5), plus(graph.op("Tanh", [times(inner, A)]), 1));
}

/** Applies an activation, with its backward pass. */
export function activationPass(graph: GraphBuilder, activation: Activation, x: Value): Pass {
	const { value, slope } = FORMS[activation](operations(graph), x);
	return { value, back: (gradient) => graph.op("Mul", [gradient, slope()]) };
}

/** Applies an activation to rows plus a bias, if possible with one operator of ONNX Runtime. */
export function addBiasAndActivation(graph: GraphBuilder, activation: Activation, rows: Value, bias: Value): Value {
	const fused = { gelu: "BiasGelu", gelu_new: "FastGelu", relu: undefined, silu: undefined }[activation];
	if (fused) return graph.op(fused, [rows, bias]);
	return addActivation(graph, activation, graph.op("Add", [rows, bias]));
}

/** A function's value and, on request, its derivative. */
interface Form {
	readonly value: Value;
	slope(): Value;
}

const FORMS: Readonly<Record<Activation, (operations: Operations, x: Value) => Form>> = {
	gelu({ op, times, plus }, x) {
		const share = times(plus(op("Erf", [times(x, Math.SQRT1_2)]), 1), 0.5);
		const density = () => times(op("Exp", [times(times(x, x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));
		return { value: times(x, share), slope: () => plus(share, times(x, density())) };
	},
	gelu_new({ op, times, plus, minus }, x) {
		const square = times(x, x);
		const tanh = op("Tanh", [times(x, plus(times(square, A * B), A))]);
		const share = times(plus(tanh, 1), 0.5);
		const slope = () => {
			// share + x / 2 * (1 - tanh^2) * (a + 3 a b x^2)
			const inner = plus(times(square, 1.5 * A * B), 0.5 * A);
			return plus(share, times(times(x, inner), minus(1, times(tanh, tanh))));
		};
		return { value: times(x, share), slope };
	},
	relu({ op }, x) {
		const value = op("Relu", [x]);
		return { value, slope: () => op("Sign", [value]) };
	},
	silu({ op, times, plus, minus }, x) {
		const share = op("Sigmoid", [x]);
		const value = times(x, share);
		return { value, slope: () => plus(share, times(value, minus(1, share))) };
	},
};

type Operations = ReturnType<typeof operations>;

function operations(graph: GraphBuilder) {
	const asValue = (value: Value | number) => (typeof value === "number" ? graph.float(value) : value);
	const withTwo = (type: string) => (a: Value | number, b: Value | number) => graph.op(type, [asValue(a), asValue(b)]);
	return {
		op: (type: string, inputs: readonly Value[]) => graph.op(type, inputs),
		times: withTwo("Mul"),
		plus: withTwo("Add"),
		minus: withTwo("Sub"),
	};
}
