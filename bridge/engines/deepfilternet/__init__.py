"""DeepFilterNet3: streamed through ONNX Runtime in flat memory; nothing of its own package is needed."""

from bridge.engines.deepfilternet.enhancer import DeepFilterNetEnhancer, model_path
from bridge.engines.deepfilternet.export import export_model, make_missing_model
from bridge.engines.deepfilternet.network import Network

__all__ = ["DeepFilterNetEnhancer", "Network", "export_model", "make_missing_model", "model_path"]
