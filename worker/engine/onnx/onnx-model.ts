import { fileURLToPath } from "node:url";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

/** ONNX's own numbers for the element types we use. */
export const ELEMENT_TYPE = {
	float32: 1,
	uint8: 2,
	int8: 3,
	int64: 7,
	float16: 10,
	float64: 11,
	bfloat16: 16,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPE;

/** A node's attribute, as in `onnx.proto`. */
export type AttributeProto = { name: string } & (
	| { type: "FLOAT"; f: number }
	| { type: "INT"; i: number }
	| { type: "STRING"; s: Buffer }
	| { type: "INTS"; ints: number[] }
);

/** One operation. An empty name stands for an optional input or output that is omitted. */
export interface NodeProto {
	name: string;
	op_type: string;
	domain: string;
	input: string[];
	output: string[];
	attribute: AttributeProto[];
}

/** A constant, stored in the graph itself or in another file (`external_data`). */
export interface TensorProto {
	name: string;
	dims: number[];
	data_type: number;
	raw_data?: Buffer;
	data_location?: "EXTERNAL";
	external_data?: { key: string; value: string }[];
}

/** Type and shape of a tensor, or the type of a list of tensors. */
export type TypeProto =
	| { tensor_type: { elem_type: number; shape?: { dim: ({ dim_value: number } | { dim_param: string })[] } } }
	| { sequence_type: { elem_type: TypeProto } };

/** An input or output of the graph. */
export interface ValueInfoProto {
	name: string;
	type: TypeProto;
}

/** A whole graph. */
export interface GraphProto {
	name: string;
	node: NodeProto[];
	initializer: TensorProto[];
	input: ValueInfoProto[];
	output: ValueInfoProto[];
}

interface ModelProto {
	ir_version: number;
	producer_name: string;
	graph: GraphProto;
	opset_import: { domain: string; version: number }[];
}

const definitions = loadSync(fileURLToPath(new URL("./onnx.proto", import.meta.url)), {
	keepCase: true,
	enums: String,
	longs: Number,
});

/** The version of ONNX and the operator sets of a model. */
export type Dialect = Pick<ModelProto, "ir_version" | "opset_import">;

/** Opset 21 and ONNX Runtime's own operators (`com.microsoft`), for the models that our engine runs. */
export const OUR_DIALECT: Dialect = {
	ir_version: 10,
	opset_import: [
		{ domain: "", version: 21 },
		{ domain: "com.microsoft", version: 1 },
	],
};

/** Encodes an ONNX model. */
export function encodeModel(graph: GraphProto, dialect: Dialect): Buffer {
	const { serialize } = definitions["onnx.ModelProto"] as unknown as MessageTypeDefinition<ModelProto, ModelProto>;
	return serialize({ ...dialect, producer_name: "tailtune", graph });
}
