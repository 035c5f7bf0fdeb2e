import Foundation
import ImagePipeline
import Storage

/// A list of the images that are left when everything unusable and every repetition is taken out.
///
/// It has the columns `file`, `label`, `class` and, where the data has parts, `split`, and is itself a data set
/// (``ListDataset``): `deit train --data clean.csv`. Left out are files that cannot be read or decoded, all but the first
/// of equal images, those in `train` that are in `val` too, also nearly, and all of a group of equal images with
/// different classes.
public struct CleanList: Sendable {
    /// The images left out, in the order of the data.
    public let dropped: [Finding.Item]
    /// How many are kept.
    public let kept: Int

    private let report: DataReport

    /// Decides what is kept.
    ///
    /// - Parameter report: What was found.
    public init(_ report: DataReport) {
        self.report = report
        var dropped: Set<Finding.Item> = []
        for finding in report.findings where finding.kind.isDropped {
            dropped.formUnion(Self.dropped(of: finding, in: report))
        }
        self.dropped = dropped.sorted()
        kept = report.count - dropped.count
    }

    private static func dropped(of finding: Finding, in report: DataReport) -> [Finding.Item] {
        switch finding.kind {
        case .duplicate: return Array(finding.images.dropFirst())
        case .leak:
            // What measures stays; of several copies there, the first.
            let measuring = finding.images.filter { report.parts[$0.part].name == "val" }
            return finding.images.filter { $0 != measuring.first }
        case .nearLeak: return finding.images.filter { report.parts[$0.part].name != "val" }
        default: return finding.images
        }
    }

    /// Writes the list.
    ///
    /// Files in or below the list's folder are written relative to it, so that the folder can be moved; others with their
    /// whole path.
    ///
    /// - Parameter path: The file to write, which takes its name when it is whole.
    /// - Throws: ``DatasetError`` when the data has no files of its own to name, or the list cannot be written.
    public func write(to path: String) throws(DatasetError) {
        let folder = resolvedPath(parentFolder(path)) + "/"
        let hasParts = report.parts.contains { $0.name != "all" }
        let columns = ["file"] + (report.isMultiLabel ? ["labels"] : ["label", "class"])
        var text = (columns + (hasParts ? ["split"] : [])).csvLine + "\n"
        let separator = LabelFormat.usualSeparator
        if report.isMultiLabel,
            let name = report.classNames.first(where: { $0.contains(separator) })
        {
            throw .invalid(
                "a cleaned list separates labels by \(separator), which the class \(name) contains: rename the class"
            )
        }
        let dropped = Set(dropped)
        for (number, part) in report.parts.enumerated() {
            for index in 0..<part.dataset.count {
                let image = Finding.Item(part: number, index: index)
                guard !dropped.contains(image) else { continue }
                guard let file = part.dataset.filePath(at: index) else {
                    throw .invalid(
                        "a cleaned list names files, and \(part.dataset.name(at: index)) is not a file:"
                            + " unpack the data into folders first"
                    )
                }
                // Links stay as they are named; only the folder is made whole.
                let name = pathComponents(file).last ?? file
                var whole = "\(resolvedPath(parentFolder(file)))/\(name)"
                if whole.hasPrefix(folder) { whole = String(whole.dropFirst(folder.count)) }
                let names = report.labels(of: image).map { report.classNames[$0] }
                let classes =
                    report.isMultiLabel
                    ? [names.joined(separator: separator)]
                    : report.labels(of: image).map(String.init) + names
                text += ([whole] + classes + (hasParts ? [part.name] : [])).csvLine + "\n"
            }
        }
        try DatasetError.of(AtomicFile.write(text.utf8, to: path))
    }
}
