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

    /// Reads a size.
    ///
    /// - Parameters:
    ///   - fields: The file.
    ///   - isShortest: Whether one number, as in old files, is the shorter side rather than a square.
    /// - Throws: ``CheckpointError`` for a size that is not understood.
    init?(_ fields: JSONFields, numberIsShortest isShortest: Bool) throws(CheckpointError) {
        guard let value = fields.value("size") else { return nil }
        if isShortest, let side = value.intValue {
            self = .shortestEdge(side)
        } else if let side = value["shortest_edge"] {
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

/// A height and a width in pixels; in a file one number where both are equal.
public struct PixelSize: Sendable, Equatable, Hashable, ExpressibleByIntegerLiteral {
    /// The rows.
    public var height: Int

    /// The columns.
    public var width: Int

    /// Creates a size.
    ///
    /// - Parameters:
    ///   - height: The rows.
    ///   - width: The columns.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Creates a square.
    ///
    /// - Parameter side: The rows and the columns.
    public init(integerLiteral side: Int) { self.init(height: side, width: side) }

    /// As `config.json` has it: `224` or `[224, 320]`.
    var json: JSONValue {
        height == width ? .integer(height) : [.integer(height), .integer(width)]
    }

    /// As `preprocessor_config.json` has it: `{"height": 224, "width": 224}`.
    var namedJSON: JSONValue { ["height": .integer(height), "width": .integer(width)] }
}
