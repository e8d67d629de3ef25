"""Write the networks as the GGUF files that llama.cpp and its mtmd read."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer
from torch import nn

import byte_pairs
import vision_prompts
from text_model import TextModel
from vision_model import VisionTower


def write_models(out: Path, tower: VisionTower, text: TextModel, tokenizer: Tokenizer) -> None:
    """Write text.gguf and mmproj.gguf into a folder."""
    write_text(out / "text.gguf", text, tokenizer, vision_prompts.CHAT_TEMPLATE)
    write_vision(out / "mmproj.gguf", tower, text.shape.width)


def write_text(path: Path, text: TextModel, tokenizer: Tokenizer, template: str) -> None:
    """Write a text model: architecture `llama`, tokenizer `gpt2`, its chat template.

    Special tokens that look like `<|end|>` are control tokens, which llama.cpp does not
    write into an answer; others are ordinary text that is always one token.
    """
    shape = text.shape
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("reelmake demo text model")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.blocks)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.eps)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    tokens, merges = byte_pairs.vocabulary(tokenizer)
    kinds = [gguf.TokenType.NORMAL] * len(tokens)
    for number, token in tokenizer.get_added_tokens_decoder().items():
        control = token.content.startswith("<|")
        kinds[number] = gguf.TokenType.CONTROL if control else gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(byte_pairs.BEGIN)
    writer.add_eos_token_id(byte_pairs.END)
    writer.add_pad_token_id(byte_pairs.PAD)
    writer.add_add_bos_token(True)
    writer.add_chat_template(template)
    # No output.weight: llama.cpp then uses the embeddings, as the training did.
    _add_tensors(writer, text, prefix="")
    _finish(writer)


def write_vision(path: Path, tower: VisionTower, text_width: int) -> None:
    """Write the vision tower: architecture `clip`, projector `mlp`.

    Raises:
        ValueError: feed_forward equals width, which clip.cpp takes for an old file with
            swapped weights.
    """
    shape = tower.shape
    if shape.feed_forward == shape.width:
        raise ValueError("feed_forward must differ from width, or clip.cpp swaps the two layers")
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_name("reelmake demo vision tower")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", True)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for key, value in {
        "image_size": shape.image_size,
        "patch_size": shape.patch_size,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed_forward,
        "block_count": shape.blocks,
        "attention.head_count": shape.heads,
        "projection_dim": text_width,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", shape.eps)
    # Pixels run from -1 to 1.
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    # Without it, the graph of LLaVA models leaves out the last block.
    writer.add_array("clip.vision.feature_layer", [shape.blocks])
    _add_tensors(writer, tower, prefix="v.")
    _finish(writer)


def _add_tensors(writer: gguf.GGUFWriter, model: nn.Module, prefix: str) -> None:
    """Add every parameter under llama.cpp's name: the modules are named after its tensors."""
    for name, parameter in model.named_parameters():
        values = parameter.detach().numpy()
        if name == "position_embd":
            name = "position_embd.weight"
        name = name.replace("mm_", "mm.") if name.startswith("mm_") else prefix + name
        # Biases, norms and positions are added or indexed, which ggml does in float32.
        whole = values.ndim == 1 or "position_embd" in name
        writer.add_tensor(name, values.astype(np.float32 if whole else np.float16))


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
