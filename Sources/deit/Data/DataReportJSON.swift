import Checkpoints
import Datasets
import Storage

/// A report on data as a JSON object for programs.
struct DataReportJSON {
    private let report: DataReport
    private let clean: CleanList
    private let path: String
    private let seconds: Double

    init(_ report: DataReport, _ clean: CleanList, path: String, seconds: Double) {
        self.report = report
        self.clean = clean
        self.path = path
        self.seconds = seconds
    }

    /// Prints the object, finding by finding: a list of a hundred thousand is never held as a text.
    func print() throws {
        let head = JSONValue.object(head).text(isIndented: false)
        guard try Results.write("\(head.dropLast()),\"findings\":[") else { return }
        for (place, finding) in report.findings.enumerated() {
            let text = object(of: finding).text(isIndented: false)
            guard try Results.write((place == 0 ? "\n" : ",\n") + text) else { return }
        }
        try Results.print(report.findings.isEmpty ? "]}" : "\n]}")
    }

    private var head: JSONObject {
        var counts = JSONObject()
        for kind in FindingKind.allCases {
            let count = report.findings(of: kind).count
            if count > 0 { counts[kind.rawValue] = .integer(count) }
        }
        var parts = JSONObject()
        for part in report.parts {
            var classes = JSONObject()
            for (label, name) in report.classNames.enumerated() {
                classes[name] = .integer(part.classCounts[label])
            }
            parts[part.name] = [
                "images": .integer(part.dataset.count), "classes": .object(classes),
            ]
        }
        return [
            "data": .string(path), "images": .integer(report.count),
            "class_names": .array(report.classNames.map(JSONValue.string)),
            "parts": .object(parts),
            "notes": .array(report.notes.map(JSONValue.string)),
            "has_errors": .bool(report.hasErrors), "counts": .object(counts),
            "clean": ["kept": .integer(clean.kept), "dropped": .integer(clean.dropped.count)],
            "seconds": .number(seconds),
        ]
    }

    private func object(of finding: Finding) -> JSONValue {
        [
            "kind": .string(finding.kind.rawValue),
            "severity": .string(finding.kind.severity.rawValue),
            "detail": .string(finding.detail),
            "images": .array(
                finding.images.map { image in
                    [
                        "file": .string(report.name(of: image)),
                        "split": .string(report.parts[image.part].name),
                        "class": .string(report.className(of: image)),
                    ]
                }
            ),
        ]
    }
}
