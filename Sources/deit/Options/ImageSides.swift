import ArgumentParser
import Checkpoints

/// The size of images as `--size` gives it: one number for both sides, or height and width.
struct ImageSides {
    let height: Int
    /// nil where one number represents both.
    let width: Int?

    /// The size.
    var size: LoadOptions.ImageSize { .init(height: height, width: width ?? height) }

    /// Reads the text of the option.
    static func parse(_ text: String) throws(ValidationError) -> ImageSides {
        let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        let sides = parts.compactMap { Int($0) }.filter { (1...65536).contains($0) }
        guard sides.count == parts.count, (1...2).contains(sides.count) else {
            throw ValidationError(
                "--size must be like 384 or 384x512 (height x width), not \"\(text)\""
            )
        }
        return ImageSides(height: sides[0], width: sides.count == 2 ? sides[1] : nil)
    }
}
