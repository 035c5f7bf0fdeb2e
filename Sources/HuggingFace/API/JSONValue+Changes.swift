import Checkpoints
import Storage

extension JSONObject {
    /// This object with the keys changed that differ between two others.
    ///
    /// - Parameters:
    ///   - before: The object's meaning as it was read.
    ///   - after: Its meaning now.
    /// - Returns: The object; what means the same as before stands as it stood.
    func replacing(from before: JSONObject, to after: JSONObject) -> JSONObject {
        var result = self
        for key in before.keys where after[key] == nil { result[key] = nil }
        for key in after.keys where after[key] != before[key] { result[key] = after[key] }
        return result
    }
}

extension JSONValue {
    /// The value with the keys of all objects in alphabetical order.
    var ordered: JSONValue {
        switch self {
        case .object(let object):
            var result = JSONObject()
            for key in object.keys.sorted() { result[key] = object[key]?.ordered }
            return .object(result)
        case .array(let list): return .array(list.map(\.ordered))
        default: return self
        }
    }
}
