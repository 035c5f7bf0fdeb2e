import Checkpoints
import Storage

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
