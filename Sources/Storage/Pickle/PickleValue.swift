/// A value that a pickle describes.
///
/// Containers are in a ``PickleHeap`` and are referred to by index, so that values that contain one
/// another, or nest a million deep, cost neither a leak nor a stack.
package enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case bytes([UInt8])
    /// A list or a set, by its place in the heap's lists.
    case list(Int)
    /// A tuple, by its place in the heap's lists.
    case tuple(Int)
    case dictionary(Int)
    /// An `argparse.Namespace`, by the place of its attributes in the heap's dictionaries.
    case namespace(Int)
    case global(PickleGlobal)
    case storage(Int)
    case tensor(Int)
    /// The `numpy.dtype` of this name: a letter and the bytes of an element, with `>` before them if big-endian.
    case numpyType(String)
    /// An array of numpy, by its place in the heap's arrays.
    case array(Int)
    /// Something known that weights have no use for, such as a device.
    case opaque(String)

    package var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var integerValue: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// A word for the kind of value, for errors.
    package var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .bytes: "bytes"
        case .list: "a list"
        case .tuple: "a tuple"
        case .dictionary: "a dictionary"
        case .namespace: "a Namespace"
        case .global(let global): global.name
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .numpyType: "a numpy type"
        case .array: "a numpy array"
        case .opaque(let name): name
        }
    }
}

/// The pairs of a dictionary in the order of the file; a key may occur twice.
package struct PickleDictionary {
    package var keys: [PickleValue] = []
    package var values: [PickleValue] = []
}

/// A storage that a pickle refers to; its elements are elsewhere in the file.
package struct PickleStorage {
    package let key: String
    /// nil where the storage counts bytes.
    package let dtype: SafetensorsDType?
    /// The number of elements, or of bytes.
    package let count: Int
    /// Where a view begins in the storage that is in the file, in elements; old files have such views.
    package let start: Int
    /// The number of elements in the file under the key.
    package let wholeCount: Int

    package var elementSize: Int { dtype?.byteSize ?? 1 }
}

/// A tensor as a pickle describes it: a part of a storage, in elements.
package struct PickleTensor {
    package let storage: Int
    package let dtype: SafetensorsDType
    package let offset: Int
    package let shape: [Int]
    package let strides: [Int]
}

/// The containers, storages and tensors of one pickle.
package struct PickleHeap {
    package var lists: [[PickleValue]] = []
    package var dictionaries: [PickleDictionary] = []
    package var storages: [PickleStorage] = []
    package var tensors: [PickleTensor] = []
    package var arrays: [NumPyArray] = []

    package mutating func list(_ values: [PickleValue]) -> Int {
        lists.append(values)
        return lists.count - 1
    }

    package mutating func dictionary(_ pairs: PickleDictionary = PickleDictionary()) -> Int {
        dictionaries.append(pairs)
        return dictionaries.count - 1
    }
}
