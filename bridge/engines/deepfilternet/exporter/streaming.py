"""DeepFilterNet3 with its state as inputs and outputs, so that any piece of a stream can follow another."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

AROUND, LOOKAHEAD = 4, 2
OPSET = 17
_TRACED = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
"""Torch before 2.5 knows nothing else."""
INPUTS = ("spec", "feat_erb", "feat_spec", "h_enc", "h_erb", "h_df", "b_erb", "b_df", "b_c0")
OUTPUTS = ("spec_e", "lsnr", "h_enc_out", "h_erb_out", "h_df_out", "b_erb_out", "b_df_out", "b_c0_out")


class StreamingNet(nn.Module):  # type: ignore[misc]
    """The same layers on frames that are given with their past, in place of the padding with zeros.

    ``spec`` has two frames before and after those that are made; features come LOOKAHEAD frames early.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.erb_conv0 = _unpadded(model.enc.erb_conv0)
        self.df_conv0 = _unpadded(model.enc.df_conv0)
        self.df_convp = _unpadded(model.df_dec.df_convp)

    def forward(
        self,
        spec: Any,
        feat_erb: Any,
        feat_spec: Any,
        h_enc: Any,
        h_erb: Any,
        h_df: Any,
        b_erb: Any,
        b_df: Any,
        b_c0: Any,
    ) -> tuple[Any, ...]:
        """The cleaned frames, their local SNR and the state."""
        enc, erb_dec, df_dec = self.model.enc, self.model.erb_dec, self.model.df_dec
        erb = torch.cat((b_erb, feat_erb), 2)
        low = torch.cat((b_df, feat_spec), 2)
        e0 = self.erb_conv0(erb)
        e1 = enc.erb_conv1(e0)
        e2 = enc.erb_conv2(e1)
        e3 = enc.erb_conv3(e2)
        c0 = self.df_conv0(low)
        c1 = enc.df_conv1(c0)
        side = enc.df_fc_emb(c1.permute(0, 2, 3, 1).flatten(2))
        emb = enc.combine(e3.permute(0, 2, 3, 1).flatten(2), side)
        emb, h_enc = enc.emb_gru(emb, h_enc)
        lsnr = enc.lsnr_fc(emb) * enc.lsnr_scale + enc.lsnr_offset
        mask, h_erb = _erb_mask(erb_dec, emb, (e0, e1, e2, e3), h_erb)
        past = torch.cat((b_c0, c0), 2)
        coefs, h_df = self._coefs(df_dec, emb, past, h_df)
        gain = mask.matmul(self.model.mask.erb_inv_fb).squeeze(1).unsqueeze(-1)
        masked = spec[:, AROUND // 2 : -(AROUND - AROUND // 2)] * gain
        bins = self.model.nb_df
        made = torch.cat((_filtered(spec[:, :, :bins], coefs), masked[:, :, bins:]), 2)
        return (made, lsnr, h_enc, h_erb, h_df, erb[:, :, -2:], low[:, :, -2:], past[:, :, -AROUND:])

    def _coefs(self, df_dec: Any, emb: Any, past: Any, h_df: Any) -> tuple[Any, Any]:
        """Five complex coefficients for each low bin: shape (batch, frames, bins, 5, 2)."""
        c, h_df = df_dec.df_gru(emb, h_df)
        if df_dec.df_skip is not None:
            c = c + df_dec.df_skip(emb)
        shape = (emb.shape[0], emb.shape[1], df_dec.df_bins, df_dec.df_out_ch)
        c = df_dec.df_out(c).view(shape) + self.df_convp(past).permute(0, 2, 3, 1)
        return c.view((*shape[:3], df_dec.df_order, 2)), h_df


def _erb_mask(erb_dec: Any, emb: Any, pathways: tuple[Any, ...], h_erb: Any) -> tuple[Any, Any]:
    e0, e1, e2, e3 = pathways
    emb, h_erb = erb_dec.emb_gru(emb, h_erb)
    emb = emb.view((e3.shape[0], e3.shape[2], e3.shape[3], -1)).permute(0, 3, 1, 2)
    e3 = erb_dec.convt3(erb_dec.conv3p(e3) + emb)
    e2 = erb_dec.convt2(erb_dec.conv2p(e2) + e3)
    e1 = erb_dec.convt1(erb_dec.conv1p(e1) + e2)
    return erb_dec.conv0_out(erb_dec.conv0p(e0) + e1), h_erb


def _filtered(spec: Any, coefs: Any) -> Any:
    """Each frame as the weighted sum of the five around it; complex numbers by hand, as ONNX has none."""
    frames = coefs.shape[1]
    parts = [(spec[:, k : k + frames], coefs[:, :, :, k]) for k in range(AROUND + 1)]
    real = sum(s[..., 0] * c[..., 0] - s[..., 1] * c[..., 1] for s, c in parts)
    imaginary = sum(s[..., 1] * c[..., 0] + s[..., 0] * c[..., 1] for s, c in parts)
    return torch.stack((real, imaginary), -1)


def _unpadded(layers: nn.Sequential) -> nn.Sequential:
    """Without the zeros before its first frame."""
    return nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.ConstantPad2d)))


def write_onnx(model: nn.Module, target: Path) -> None:
    """Write the file; any number of channels (batch) and frames (time)."""
    network = StreamingNet(model).eval()
    batch, time = 2, 7
    given = (
        torch.randn(batch, time + AROUND, 481, 2),
        torch.randn(batch, 1, time, 32),
        torch.randn(batch, 2, time, 96),
        *(torch.zeros(layers, batch, 256) for layers in (1, 2, 2)),
        torch.zeros(batch, 1, 2, 32),
        torch.zeros(batch, 2, 2, 96),
        torch.zeros(batch, 64, 4, 96),
    )
    axes = {"spec": {0: "batch", 1: "time_plus_4"}, "feat_erb": {0: "batch", 2: "time"}}
    axes |= {
        "feat_spec": axes["feat_erb"],
        "spec_e": {0: "batch", 1: "time"},
        "lsnr": {0: "batch", 1: "time"},
    }
    for name in ("h_enc", "h_erb", "h_df"):
        axes |= {name: {1: "batch"}, f"{name}_out": {1: "batch"}}
    for name in ("b_erb", "b_df", "b_c0"):
        axes |= {name: {0: "batch"}, f"{name}_out": {0: "batch"}}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every shape that is read
        torch.onnx.export(
            network,
            given,
            str(target),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=OPSET,
            **_TRACED,
        )
