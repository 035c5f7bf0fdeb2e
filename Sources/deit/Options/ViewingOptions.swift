import ArgumentParser
import Evaluation
import Torch
import VisionModels

/// In which size a transformer looks at images of any size.
struct ViewingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Input size in pixels, rounded to patches: own, N for the shorter side, or HxW (height first).",
            discussion:
                "With own, images smaller than the model's input are enlarged and images that need more than --memory are reduced."
        )
    )
    var size = "own"

    @Option(help: "Resampling of position embeddings: deit, timm, hf, dino or dinov2.")
    var resample = PositionEmbeddingResampling.timm

    @Option(help: "Memory limit for attention, in GiB.")
    var memory = 2.0

    func validate() throws {
        _ = try wish()
        guard memory > 0, memory <= 1_000_000 else {
            throw ValidationError("--memory must be above 0, not \(memory)")
        }
    }

    /// The size for images of a model; one that is too much for any image is refused here.
    func viewingSize(for configuration: ViTConfiguration) throws -> ViewingSize {
        let size = ViewingSize(
            try wish(),
            for: configuration,
            memoryLimit: Int(memory * Double(1 << 30))
        )
        _ = try size(height: 1, width: 1)
        return size
    }

    private func wish() throws -> ViewingSize.Wish {
        if size == "own" { return .own }
        let sides = size.lowercased().split(separator: "x", omittingEmptySubsequences: false)
            .map { Int($0) }
        let positive = sides.compactMap { $0 }.filter { (1...1_000_000).contains($0) }
        guard positive.count == sides.count else { throw wrongSize }
        switch positive.count {
        case 1: return .shorterSide(positive[0])
        case 2: return .exact(height: positive[0], width: positive[1])
        default: throw wrongSize
        }
    }

    private var wrongSize: ValidationError {
        ValidationError(
            "--size must be own, a number such as 480, or HxW, height first, such as 480x640, not \(size)"
        )
    }
}
