import Checkpoints
public import ImagePipeline
import Storage

/// The `size` of an image processor: what an image is brought to before the crop.
public enum ProcessorSize: Sendable, Equatable, Hashable {
    /// Both sides are given and the shape may change: `{"height": …, "width": …}`, in old files one number.
    case exact(PixelSize)

    /// The shorter side is given and the shape stays: `{"shortest_edge": …}`.
    case shortestEdge(Int)

    /// The same in the words of the image room.
    public var rule: ResizeRule {
        switch self {
        case .exact(let size): .exact(height: size.height, width: size.width)
        case .shortestEdge(let side): .shortestSide(side)
        }
    }

    var json: JSONValue {
        switch self {
        case .exact(let size): size.namedJSON
        case .shortestEdge(let side): ["shortest_edge": .integer(side)]
        }
    }

    init?(_ fields: JSONFields) throws(CheckpointError) {
        guard let value = fields.value("size") else { return nil }
        if let side = value["shortest_edge"] {
            guard let side = side.intValue, value["longest_edge"] == nil else {
                throw fields.unsupported("size", "is not one whole number for the shortest edge")
            }
            self = .shortestEdge(side)
        } else if let size = try fields.size("size") {
            self = .exact(PixelSize(height: size.height, width: size.width))
        } else {
            return nil
        }
    }
}
