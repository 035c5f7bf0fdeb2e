public import ArgumentParser
public import Evaluation

extension Upscaling: ExpressibleByArgument {}
extension ColorMap: ExpressibleByArgument {}
extension AttentionRollout.Fusion: ExpressibleByArgument {}
extension Segmenter.Method: ExpressibleByArgument {}
