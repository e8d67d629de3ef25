"""The tiny Whisper: its configuration, its features, and a forward pass for training that skips the padding.

faster-whisper pads each window to 30 s (1,500 encoder positions), of which our 10 s windows fill 500. From position 501
on the padding is the same everywhere: the features are zero there, and we give these positions one embedding. So
training computes one of them and counts it 999 times in the attention (a bias of log 999). The result is the same as
Whisper's with 30 s, for a fifth of the time; `check_padding` holds the two together.
"""

import math

import torch
import torch.nn.functional as F
import transformers
from faster_whisper.feature_extractor import FeatureExtractor

import speech_tokens as tokens

WIDTH, HEADS, MELS = 128, 4, 80
POSITIONS = 1500
CONTENT = 501  # positions that the 1,000 frames of 10 s reach, through the two convolutions
ALIGNMENT_HEADS = [[1, 0], [1, 1]]  # layer, head: these learn where each word is

_MEL_FILTERS = torch.tensor(
    FeatureExtractor.get_mel_filters(16_000, 400, MELS), dtype=torch.float32
)
_WINDOW = torch.hann_window(400)


def build_model() -> transformers.WhisperForConditionalGeneration:
    """About 1.7 million weights, of which a tenth are the fixed position embeddings."""
    config = transformers.WhisperConfig(
        vocab_size=tokens.VOCABULARY_SIZE,
        num_mel_bins=MELS,
        d_model=WIDTH,
        encoder_layers=3,
        decoder_layers=2,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=4 * WIDTH,
        decoder_ffn_dim=4 * WIDTH,
        max_source_positions=POSITIONS,
        max_target_positions=448,
        dropout=0.0,
        bos_token_id=tokens.END_ID,
        eos_token_id=tokens.END_ID,
        pad_token_id=tokens.END_ID,
        decoder_start_token_id=tokens.START_ID,
        suppress_tokens=[],
        begin_suppress_tokens=[tokens.END_ID],
    )
    model = transformers.WhisperForConditionalGeneration(config)
    with torch.no_grad():
        # transformers' standard deviation of 0.02 is meant for wide layers. Here it would leave the sound far weaker
        # than the position embeddings, which are fixed sinusoids of amplitude 1.
        for module in model.modules():
            if isinstance(module, torch.nn.Conv1d):
                module.reset_parameters()
            elif isinstance(module, torch.nn.Linear) and module is not model.proj_out:
                torch.nn.init.xavier_uniform_(module.weight)
        positions = model.model.encoder.embed_positions.weight
        positions *= 0.3
        positions[CONTENT:] = positions[CONTENT].clone()
    return model


def features(samples, floor: float = 0.0) -> torch.Tensor:
    """Whisper's log-mel spectrogram, float32 (80, 1004): up to 1,000 frames of 10 ms, then zeros.

    floor: how much louder the rest of the file is than this window, in powers of ten; faster-whisper computes the
    spectrogram of a whole file, and its loudest frame sets the least value.
    """
    samples = torch.as_tensor(samples)
    spectrum = torch.stft(F.pad(samples, (0, 160)), 400, 160, window=_WINDOW, return_complex=True)
    mel = torch.log10(torch.clamp(_MEL_FILTERS @ spectrum[:, :-1].abs().square(), min=1e-10))
    mel = (torch.maximum(mel, mel.max() - 8 + floor) + 4) / 4
    frames = min(len(samples) // 160, 1000)
    return F.pad(mel[:, :frames], (0, 1004 - frames))


def _heads(projection, x):
    return projection(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)


def _attend(layer, x, memory, bias, scores=False, causal=False):
    """Attention with the weights of one of transformers' WhisperAttention modules; with `scores` also log-weights."""
    query, key, value = (
        _heads(layer.q_proj, x),
        _heads(layer.k_proj, memory),
        _heads(layer.v_proj, memory),
    )
    log_weights = None
    if scores:
        log_weights = torch.log_softmax(
            query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + bias, dim=-1
        )
        out = log_weights.exp() @ value
    else:
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, is_causal=causal)
    return layer.out_proj(out.transpose(1, 2).flatten(2)), log_weights


def _feed_forward(layer, x):
    return x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))


def encode(model, batch: torch.Tensor, pieces: int = 1) -> torch.Tensor:
    """(n, 80, 1004) features to (n, 502, 128): 501 positions of content and one for all padding.

    With `pieces` (a divisor of 500) to (n * pieces, 500 / pieces, 128): attention stays within each piece, which is
    cheaper, and there is no padding.
    """
    encoder = model.model.encoder
    x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(batch)))).transpose(1, 2)
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    bias = _padding_bias(x.shape[1])
    if pieces > 1:
        x, bias = x[:, :500].reshape(len(x) * pieces, 500 // pieces, WIDTH), None
    for layer in encoder.layers:
        normed = layer.self_attn_layer_norm(x)
        x = _feed_forward(layer, x + _attend(layer.self_attn, normed, normed, bias)[0])
    return encoder.layer_norm(x)


def decode(model, memory: torch.Tensor, ids: torch.Tensor):
    """Logits (n, k, length, vocabulary) and log-attention (n, heads, k, length, 502) of the aligned heads.

    ids: (n, k, length) token ids, k sequences about the same window.
    """
    decoder = model.model.decoder
    n, k, length = ids.shape
    x = decoder.embed_tokens(ids) + decoder.embed_positions.weight[:length]
    bias = _padding_bias(memory.shape[1])
    aligned = []
    for number, layer in enumerate(decoder.layers):
        rows = layer.self_attn_layer_norm(x).flatten(0, 1)
        x = x + _attend(layer.self_attn, rows, rows, None, causal=True)[0].view(n, k, length, -1)
        queries = layer.encoder_attn_layer_norm(x).flatten(1, 2)
        out, log_weights = _attend(layer.encoder_attn, queries, memory, bias, scores=True)
        x = _feed_forward(layer, x + out.view(n, k, length, -1))
        aligned += [log_weights[:, head] for which, head in ALIGNMENT_HEADS if which == number]
    logits = model.proj_out(decoder.layer_norm(x))
    return logits, torch.stack(aligned, 1).unflatten(2, (k, length))


def _padding_bias(positions: int) -> torch.Tensor:
    bias = torch.zeros(1, 1, 1, positions)
    bias[..., -1] = math.log(POSITIONS - CONTENT)
    return bias


@torch.no_grad()
def check_padding(model, batch: torch.Tensor) -> float:
    """The largest difference between our logits and those of transformers' own forward pass over 30 s."""
    ids = torch.tensor([[tokens.START_ID, tokens.NO_TIMESTAMPS_ID, tokens.PAUSE_ID]] * len(batch))
    ours = decode(model, encode(model, batch), ids[:, None])[0][:, 0]
    whole = F.pad(batch, (0, 3000 - batch.shape[-1]))
    return (model(input_features=whole, decoder_input_ids=ids).logits - ours).abs().max().item()
