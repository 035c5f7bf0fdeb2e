@testable import Storage

/// Calls a parser and forgets its error, whose sentence must exist.
func attempt(_ body: () throws(StorageError) -> Void) {
    do { try body() } catch { precondition(!error.description.isEmpty) }
}

extension MemorySource {
    func readSafetensors() {
        attempt { () throws(StorageError) in
            let (header, dataStart) = try SafetensorsHeader.read(self)
            var end = 0
            for entry in header.entries {
                precondition(entry.range.lowerBound == end, "a gap or an overlap")
                let size = entry.shape.reduce(entry.dtype.byteSize, *)
                precondition(entry.range.count == size, "a size that does not fit the shape")
                end = entry.range.upperBound
            }
            precondition(dataStart + end == count, "the tensors do not cover the file")
        }
    }

    func readPyTorch() {
        attempt { () throws(StorageError) in
            let directory = try ZipDirectory(self)
            for entry in directory.entries {
                attempt { () throws(StorageError) in
                    let range = try directory.range(of: entry)
                    precondition(range.lowerBound >= 0 && range.upperBound <= count)
                }
            }
        }
        for name in [nil, "model_ema", "teacher"] {
            attempt { () throws(StorageError) in
                try readTensors(try PyTorchContents(self, stateDict: name).table)
            }
        }
    }

    /// A pickle by itself, whose every storage is this whole file.
    func readPickle() {
        attempt { () throws(StorageError) in
            var machine = PickleMachine(ByteCursor(self, 0..<count))
            let root = try machine.run()
            let whole = 0..<count
            let container = PyTorchContainer(root: root, heap: machine.heap) { _ in whole }
            try readTensors(try PyTorchContents(container, self, stateDict: nil).table)
        }
        readPyTorch()
    }

    private func readTensors(_ table: PyTorchTable) throws(StorageError) {
        for entry in table.entries where entry.layout.byteCount <= 1 << 16 {
            let target = UnsafeMutableRawBufferPointer.allocate(
                byteCount: entry.layout.byteCount,
                alignment: 16
            )
            defer { target.deallocate() }
            try entry.layout.copy(from: self, into: target)
        }
    }
}
