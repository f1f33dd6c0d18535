"""Writes small tokenizers trained on the texts below, for example `word-piece.json`, and `ids.json`, the ids that Hugging
Face's library gives for texts, with names of special tokens as text and as tokens.

    pip install tokenizers==0.23.3 sentencepiece protobuf
    python test/golden/tokenizers/generate.py
"""

import hashlib
import json
import pathlib
import struct
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
TRAINING = [
    "Der Fluß führt im Frühling über die Ufer, und die Straßen der Altstadt stehen unter Wasser.",
    "Die Übertragung der Prüfungsergebnisse dauert länger, weil die Prüfungsordnung geändert wurde.",
    "A reunião foi adiada para amanhã, porque os alunos não receberam a informação a tempo.",
    "São Paulo e Rio de Janeiro são cidades com milhões de habitantes; a população não para de crescer.",
    "今天天气很好，我们一起去公园散步。公园里有很多人，孩子们在草地上玩。",
    "明天会下雨，记得带伞。天气预报说后天也会下雨。",
    "The river rises in spring, and the streets of the old town are under water. 2024-01-31, 12,345.67",
]
TEXTS = [
    *TRAINING,
    *["", " ", "\n", "a", " a", "  two\n\nlines \t", "don't we'll I'M", "12 345 678901 ٠١٢ ½", "x\u0085y\ufeffz\u200b\u3000"],
    *["Café", "Cafe\u0301", "A\u030angstro\u0308m", "\U00010400\U0001d400 👍🏽 é̂", "ﬁn ＡＢＣ ①"],
    *["<|endoftext|>", "Fim<|endoftext|> da história", "[CLS] x [SEP]", "[PAD]", "<|endoftext|", "São Paulo!", "Sa\u0303o Paulo"],
    *["Rio de Janeiro", " <tag> ", "xRio de Janeiro  y", "<tag>\n<tag>", "crypto cryptography crypto"],
    *["I'ſ HE'S we'LL 'ſt", "𐵐x ᲊ \u0897a a\u0897\u0334 \U0001e030 \u32ff", "𠀀漢\U00030000字", "ΑΣ ΑΣ. İI ſ", "a\x00b\ufffdc\x0bd\u0085e\u00adf"],
    *["x⸮y࡞z᭎w﹏", "a\u0323\u0301b\u1abfc\u1714d", "ﬁ\u0301 ﬁ\r\nｶﾞ가ᄒ\u1161\u11ab 🇩🇪 👨\u200d👩\u200d👧", "<unk>x <0x41> ▁a▁ ℡㍿\ufeff", "1२3⒈½\U00011de0", "ab  c\n\n d"],
    *["über" * 60, "天气" * 80, "aaab" * 70, "=" * 150, "ß ü " * 40],
]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    tokenizer.add_tokens([AddedToken("São Paulo", normalized=True), AddedToken("Rio de Janeiro", normalized=False)])
    tokenizer.add_tokens([AddedToken("<tag>", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("crypto", single_word=True, normalized=False)])
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    return tokenizer


GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def split():
    """The words of GPT-4, as in many newer tokenizers."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(GPT4), "isolated")
    digits = pre_tokenizers.Digits(individual_digits=True)
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, digits, bytes_only])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return tokenizer


def replacements():
    """SentencePiece's own form of a few replacements."""
    rules = {"ﬁ": "fi", "①": "1", "\r": " ", "\n": " ", "ｶﾞ": "ガ", "ｶ": "カ", "㍿": "株式会社", "\u00ad": "", "e\u0301": "é"}
    hexadecimal = lambda text: " ".join(f"{ord(c):x}" for c in text)
    with tempfile.TemporaryDirectory() as folder:
        rows = [f"{hexadecimal(old)}\t{hexadecimal(new)}\n" for old, new in rules.items()]
        pathlib.Path(folder, "rules.tsv").write_text("".join(rows))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TRAINING),
            model_prefix=f"{folder}/model",
            vocab_size=150,
            hard_vocab_limit=False,
            normalization_rule_tsv=f"{folder}/rules.tsv",
            minloglevel=2,
        )
        model = sentencepiece_model_pb2.ModelProto.FromString(pathlib.Path(folder, "model.model").read_bytes())
    return model.normalizer_spec.precompiled_charsmap


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.Precompiled(replacements()), normalizers.Replace(Regex(" {2,}"), " ")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = ["<unk>", "<s>", "</s>"]
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=names, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return tokenizer


def byte_fallback():
    """Byte-pair encoding as SentencePiece's: characters, and bytes for unknown ones."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = ["<unk>", "<s>", "</s>", *BYTES]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=names, limit_alphabet=150, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] not in BYTES]
    content["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    content["pre_tokenizer"] = None
    return Tokenizer.from_str(json.dumps(content))


# Each code point of planes 0 and 1 next to letters, digits, blanks, line ends, punctuation, itself and a text's ends.
IN_COMPANY = "{c} {c}a{c}1{c}\n{c}\r\n{c}.{c}  {c}{c}\n\n {c}'s{c}\t {c}"
LONG = ["a", "é", "漢", "字カ", "7", "=", "e\u0301", "가", "🇩🇪", " ", "\n", "ab ", "aB"]


def hash_of_texts(tokenizer, texts):
    digest = hashlib.sha256()
    for encoding in tokenizer.encode_batch_fast(texts):
        digest.update(struct.pack(f"<{len(encoding.ids) + 1}I", len(encoding.ids), *encoding.ids))
    return digest.hexdigest()


def hashes(tokenizer):
    """For each 4096 code points of planes 0 and 1, and for long words."""
    starts = range(0, 0x20000, 4096)
    blocks = [[chr(point) for point in range(start, start + 4096) if not 0xD800 <= point < 0xE000] for start in starts]
    found = [hash_of_texts(tokenizer, [IN_COMPANY.replace("{c}", c) for c in block]) for block in blocks]
    long = [unit * length for unit in LONG for length in (50, 99, 100, 101, 150, 2500, 20000)]
    return [*found, hash_of_texts(tokenizer, long)]


def main():
    values = {"tokenizers": tokenizers.__version__, "company": IN_COMPANY, "long": LONG, "texts": TEXTS, "ids": {}, "hashes": {}}
    made = {"byte-level": byte_level(), "word-piece": word_piece(), "split": split(), "unigram": unigram(), "byte-fallback": byte_fallback()}
    for name, tokenizer in made.items():
        (HERE / f"{name}.json").write_text(tokenizer.to_str(pretty=False) + "\n")
        for mode in ("text", "tokens"):
            tokenizer.encode_special_tokens = mode == "text"
            values["ids"][f"{name} {mode}"] = [tokenizer.encode(text).ids for text in TEXTS]
        tokenizer.encode_special_tokens = True
        values["hashes"][name] = hashes(tokenizer)
    (HERE / "ids.json").write_text(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
