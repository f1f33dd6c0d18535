import nodePath, { type PlatformPath } from "node:path";
import { TailtuneError } from "../../../shared/errors.ts";
import type { OnnxTensor } from "../../../shared/worker-port/onnx-classifier.ts";
import {
	type AttributeProto,
	type Dialect,
	ELEMENT_TYPE,
	type ElementType,
	encodeModel,
	type GraphProto,
	OUR_DIALECT,
} from "./onnx-model.ts";

/** Name of a tensor in the graph being built. */
export type Value = string;

/** A size that is fixed in the graph, or the name of a size that each run may set. */
export type Dimension = number | string;

type Attributes = Record<string, number | string | readonly number[] | { readonly float: number }>;

const STORED_AS = {
	F32: "float32",
	F16: "float16",
	BF16: "bfloat16",
	F64: "float64",
	U8: "uint8",
} as const satisfies Record<OnnxTensor["type"], ElementType>;

/** A file's drive, and its path on that drive. */
export interface DriveLocation {
	/** For example "/" or "D:\\". */
	readonly drive: string;
	readonly location: string;
}

/**
 * Splits a path into drive and location. ONNX Runtime reads tensors only below one folder, but a model's files may be
 * in several: so that folder is their drive.
 * @param path rules for paths; default: those of this system
 */
export function splitDrive(file: string, path: PlatformPath = nodePath): DriveLocation {
	const { root: drive } = path.parse(path.resolve(file));
	return { drive, location: path.relative(drive, file) };
}

/** The operators of ONNX Runtime among those that we use; all others are of the ONNX standard. */
const MICROSOFT = new Set(["BiasGelu", "FastGelu", "FusedMatMul", "MatMulIntegerToFloat"]);

/** Builds an ONNX graph one operation at a time and names the values. */
export class GraphBuilder {
	readonly #root: string | undefined;
	readonly #graph: GraphProto;
	readonly #constants = new Map<string, Value>();

	/** @param root folder from which the paths of the tensors' files are written; default: the drive of each file */
	constructor(name: string, root?: string) {
		this.#root = root;
		this.#graph = { name, node: [], initializer: [], input: [], output: [] };
	}

	/** Declares an input of the graph. */
	input(name: string, type: ElementType, dims: readonly Dimension[]): Value {
		this.#graph.input.push(valueInfo(name, type, dims));
		return name;
	}

	/** Makes a value an output of the graph and renames it. */
	output(name: string, value: Value, type: ElementType, dims: readonly Dimension[]): void {
		for (const node of this.#graph.node) {
			node.output = node.output.map((output) => (output === value ? name : output));
			node.input = node.input.map((input) => (input === value ? name : input));
		}
		this.#graph.output.push(valueInfo(name, type, dims));
	}

	/**
	 * Keeps `OnnxSession.run` from copying the results. onnxruntime-node 1.30 writes results to the given arrays, and
	 * then copies all of them once more for its return value, which for a tail's gradients takes as long as computing
	 * them. It copies in the order of the outputs and throws at one that isn't a tensor, so this method puts such an
	 * output first.
	 */
	skipResultCopies(value: Value): void {
		const [list = ""] = this.ops("SequenceConstruct", [value], 1);
		const type = { sequence_type: { elem_type: { tensor_type: { elem_type: ELEMENT_TYPE.float32 } } } };
		this.#graph.output.unshift({ name: list, type });
	}

	/** Adds an operation with one result. A number becomes an INT attribute; use `{ float: x }` for a FLOAT. */
	op(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
		return this.ops(type, inputs, 1, attributes)[0] as Value;
	}

	/** Adds an operation with several results. */
	ops(type: string, inputs: readonly Value[], outputs: number, attributes: Attributes = {}): Value[] {
		const name = `${type}_${this.#graph.node.length}`;
		const output = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}_${i}`));
		this.#graph.node.push({
			name,
			op_type: type,
			domain: MICROSOFT.has(type) ? "com.microsoft" : "",
			input: [...inputs],
			output,
			attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
		});
		return output;
	}

	/** Adds a constant of 64-bit integers: a list, or a scalar. */
	ints(value: readonly number[] | number): Value {
		const list = typeof value === "number" ? [value] : value;
		const bytes = Buffer.from(BigInt64Array.from(list, BigInt).buffer);
		return this.#constant("int64", bytes, typeof value === "number" ? [] : [list.length]);
	}

	/** Adds a float32 scalar. */
	float(value: number): Value {
		return this.#constant("float32", Buffer.from(Float32Array.of(value).buffer), []);
	}

	/** Adds a constant tensor of signed 8-bit integers. */
	bytes(values: Int8Array, dims: readonly number[]): Value {
		return this.#constant("int8", Buffer.from(values), [...dims]);
	}

	/** Adds a scalar of 0 to 255. */
	byte(value: number): Value {
		return this.#constant("uint8", Buffer.of(value), []);
	}

	/** Adds a list of equal float32 numbers. */
	filled(value: number, length: number): Value {
		return this.#constant("float32", Buffer.from(new Float32Array(length).fill(value).buffer), [length]);
	}

	/** Adds a tensor of a model file as float32, or U8 as it is. Its bytes are not copied into the graph. */
	stored(name: string, { file, type, shape, offset, byteLength }: OnnxTensor): Value {
		const stored = STORED_AS[type];
		const location = this.#root === undefined ? splitDrive(file).location : nodePath.relative(this.#root, file);
		const external_data = Object.entries({ location, offset, length: byteLength }).map(([key, value]) => ({
			key,
			value: String(value),
		}));
		this.#graph.initializer.push({
			name,
			dims: [...shape],
			data_type: ELEMENT_TYPE[stored],
			data_location: "EXTERNAL",
			external_data,
		});
		return type === "F32" || type === "U8" ? name : this.op("Cast", [name], { to: ELEMENT_TYPE.float32 });
	}

	/** Encodes the model in ONNX's format, without operations and tensors that no output needs. */
	build(dialect: Dialect = OUR_DIALECT): Buffer {
		const needed = new Set(this.#graph.output.map(({ name }) => name));
		const node = this.#graph.node.toReversed().filter(({ input, output }) => {
			const used = output.some((name) => needed.has(name));
			if (used) for (const name of input) needed.add(name);
			return used;
		});
		const initializer = this.#graph.initializer.filter(({ name }) => needed.has(name));
		return encodeModel({ ...this.#graph, node: node.reverse(), initializer }, dialect);
	}

	#constant(type: ElementType, raw_data: Buffer, dims: number[]): Value {
		const key = `${type}[${dims}]${raw_data.toString("base64")}`;
		const known = this.#constants.get(key);
		if (known !== undefined) return known;
		const name = `constant_${this.#constants.size}`;
		this.#graph.initializer.push({ name, dims, data_type: ELEMENT_TYPE[type], raw_data });
		this.#constants.set(key, name);
		return name;
	}
}

/** Returns the model's tensor with this name. Throws TailtuneError "model" if there is none. */
export function storedTensor<Tensor>(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
	const stored = tensors.get(name);
	if (!stored) throw new TailtuneError("model", `no tensor ${name}, expected one for every weight of the model`);
	return stored;
}

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]) {
	const dim = dims.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
	return { name, type: { tensor_type: { elem_type: ELEMENT_TYPE[type], shape: { dim } } } };
}

function attribute(name: string, value: Attributes[string]): AttributeProto {
	if (typeof value === "number") return { name, type: "INT", i: value };
	if (typeof value === "string") return { name, type: "STRING", s: Buffer.from(value) };
	if ("float" in value) return { name, type: "FLOAT", f: value.float };
	return { name, type: "INTS", ints: [...value] };
}
