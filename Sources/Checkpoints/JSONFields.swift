package import Storage

/// The fields of a configuration file, read with a checkpoint's errors, which name file and key.
package typealias JSONFields = JSONObjectFields<CheckpointError>
