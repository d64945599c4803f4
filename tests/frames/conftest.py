from tests.frames.holders import hold

__all__ = ["hold"]
