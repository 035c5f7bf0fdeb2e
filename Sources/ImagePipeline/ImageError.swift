/// What can go wrong between the bytes of an image file and the numbers that a model reads.
public enum ImageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file is empty.
    case empty
    /// The file is not an image of a kind that is known.
    case notAnImage
    /// The file is an image, but neither JPEG, PNG nor WebP; the format's usual name.
    case foreignFormat(String)
    /// The data ends before the image does.
    case truncated(format: ImageFormat, detail: String)
    /// The data breaks the rules of its format.
    case corrupt(format: ImageFormat, detail: String)
    /// The file is of a legal kind that is not decoded here.
    case unsupported(format: ImageFormat, detail: String)
    /// The image holds more pixels than the limit allows.
    case tooLarge(width: Int, height: Int, limit: Int)
    /// A resize would make an image of more pixels than the limit allows, as of one row made as high as the others.
    case resizedTooLarge(from: ImageSize, to: ImageSize, limit: Int)
    /// The file could not be read.
    case unreadable(path: String, detail: String)
    /// A value does not fit: a size, a count of channels, a region, a transform's parameter.
    case invalid(String)

    /// What is wrong, where the sentence around it names the file.
    public var reason: String {
        if case .unreadable(_, let detail) = self { return "it cannot be read (\(detail))" }
        return description
    }

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .empty:
            "the file is empty"
        case .notAnImage:
            "the file is not a JPEG, PNG or WebP image"
        case .foreignFormat(let name):
            "the file's format, \(name), is not supported: convert it to JPEG, PNG or WebP"
        case .truncated(let format, let detail):
            "the \(format.name) file is cut short (\(detail))"
        case .corrupt(let format, let detail):
            "the \(format.name) file is damaged (\(detail))"
        case .unsupported(let format, let detail):
            "this kind of \(format.name) file is not supported (\(detail))"
        case .tooLarge(let width, let height, let limit):
            "the image has \(ImageSize(height: height, width: width)), more than the limit of \(limit) pixels"
        case .resizedTooLarge(let old, let new, let limit):
            "the image of \(old) would be resized to \(new), more than the limit of \(limit) pixels: "
                + "remove it, or crop it to a less extreme shape"
        case .unreadable(let path, let detail):
            "\(path) cannot be read (\(detail))"
        case .invalid(let text):
            text
        }
    }
}
