/// Modules in a row whose keys are a word and a number: `b1`, `b2`, … or `0`, `1`, ….
///
/// A property that is a plain array of modules has the keys `0`, `1`, … below its own name; this is for arrays inside
/// arrays and for references that count otherwise.
public final class ModuleList<Element: Module>: Module, CustomReflectable {
    /// The modules in their order.
    public let elements: [Element]

    private let prefix: String
    private let first: Int

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - elements: The modules in their order.
    ///   - prefix: The text before the number in a key.
    ///   - first: The number of the first module.
    public init(_ elements: [Element], prefix: String = "", first: Int = 0) {
        self.elements = elements
        self.prefix = prefix
        self.first = first
    }

    /// The modules by their keys, which is what reflection sees.
    public var customMirror: Mirror {
        let children = elements.enumerated().map { index, element in
            (label: Optional("\(prefix)\(index + first)"), value: element as Any)
        }
        return Mirror(self, children: children, ancestorRepresentation: .suppressed)
    }
}
