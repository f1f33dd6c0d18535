import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { type TokenizerFiles, WORD_PIECE_FILE } from "./read-files.ts";
import { type TokenizerDefinition, tokenizerJsonSchema } from "./tokenizer-definition.ts";

/** Settings of a BERT tokenizer in `tokenizer_config.json`, and tokens with a meaning; the usual ones if unset. */
export interface WordPieceSettings {
	readonly tokenizer_class?: string | null | undefined;
	readonly do_lower_case?: boolean | null | undefined;
	readonly tokenize_chinese_chars?: boolean | null | undefined;
	readonly strip_accents?: boolean | null | undefined;
	readonly unk_token?: string | null | undefined;
	readonly cls_token?: string | null | undefined;
	readonly sep_token?: string | null | undefined;
	readonly pad_token?: string | null | undefined;
	readonly mask_token?: string | null | undefined;
}

const CLASSES: readonly string[] = ["BertTokenizer", "BertTokenizerFast"];

/**
 * Builds the definition of a tokenizer with only a `vocab.txt`, one token per line, as transformers' BertTokenizer
 * does.
 * @throws TailtuneError "model" if another tokenizer is named, or a token that every text needs isn't in the vocabulary
 */
export function buildWordPieceDefinition(files: TokenizerFiles, settings: WordPieceSettings): TokenizerDefinition {
	const name = join(files.folder, WORD_PIECE_FILE);
	assertBert(files, settings);
	const vocab = parseVocabulary(files);
	const { unk_token, cls_token, sep_token, pad_token, mask_token } = settings;
	const [unk, cls, sep] = [unk_token ?? "[UNK]", cls_token ?? "[CLS]", sep_token ?? "[SEP]"];
	const [pad, mask] = [pad_token ?? "[PAD]", mask_token ?? "[MASK]"];
	for (const token of [unk, cls, sep]) {
		if (!Object.hasOwn(vocab, token))
			throw new TailtuneError("model", `${name}: expected a line ${JSON.stringify(token)}`);
	}
	const special = new Set([unk, cls, sep, pad, mask].filter((token) => Object.hasOwn(vocab, token)));
	const json = tokenizerJsonSchema.parse({
		added_tokens: Array.from(special, (content) => ({ id: vocab[content], content, special: true })),
		normalizer: {
			type: "BertNormalizer",
			clean_text: true,
			handle_chinese_chars: settings.tokenize_chinese_chars ?? true,
			strip_accents: settings.strip_accents ?? null,
			lowercase: settings.do_lower_case ?? true,
		},
		pre_tokenizer: { type: "BertPreTokenizer" },
		post_processor: buildTemplate(vocab, cls, sep),
		decoder: { type: "WordPiece", prefix: "##", cleanup: true },
		model: {
			type: "WordPiece",
			unk_token: unk,
			continuing_subword_prefix: "##",
			max_input_chars_per_word: 100,
			vocab,
		},
	});
	return { name, json, special: { pad, unk } };
}

function assertBert({ folder }: TokenizerFiles, { tokenizer_class: found }: WordPieceSettings): void {
	if (found == null || CLASSES.includes(found)) return;
	const expected = `expected BertTokenizer, because ${WORD_PIECE_FILE} is the only vocabulary`;
	const file = join(folder, "tokenizer_config.json");
	throw new TailtuneError("model", `${file}: tokenizer_class: found ${found}, ${expected}`);
}

function parseVocabulary({ contents }: TokenizerFiles): Readonly<Record<string, number>> {
	const lines = (contents.get(WORD_PIECE_FILE) ?? Buffer.of()).toString().split(/\r\n|\r|\n/);
	if (lines.at(-1) === "") lines.pop();
	return Object.fromEntries(lines.map((token, id) => [token, id]));
}

/** Builds the post-processor that puts a token before every text and one after it. */
function buildTemplate(vocab: Readonly<Record<string, number>>, cls: string, sep: string) {
	const token = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
	const text = (id: string, type_id = 0) => ({ Sequence: { id, type_id } });
	return {
		type: "TemplateProcessing",
		single: [token(cls), text("A"), token(sep)],
		pair: [token(cls), text("A"), token(sep), text("B", 1), token(sep, 1)],
		special_tokens: Object.fromEntries([cls, sep].map((id) => [id, { id, ids: [vocab[id]], tokens: [id] }])),
	};
}
