import Foundation

extension TrainingOptions {
    /// The teachers' checkpoints: the parts of ``Settings/teacher`` between commas.
    ///
    /// A file or folder whose name has a comma in it is one teacher.
    public var teachers: [String] {
        get {
            if self.teacher.isEmpty { return [] }
            if FileManager.default.fileExists(atPath: self.teacher) { return [self.teacher] }
            return self.teacher.split(separator: ",")
                .map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
        }
        set { self.teacher = newValue.joined(separator: ",") }
    }

    /// Checks that the teachers can teach together.
    ///
    /// - Throws: ``OptionError`` for a teacher that is named twice, and for several that are to be trained first.
    func checkTeachers() throws(OptionError) {
        let paths = teachers
        if let twice = paths.first(where: { path in paths.count { $0 == path } > 1 }) {
            throw .conflict("the teacher \(twice) is given twice; name each teacher once")
        }
        if paths.count > 1, self.teacherFinetune != nil {
            throw .conflict(
                "teacher_finetune supports one teacher, not \(paths.count): fine-tune each separately first, or "
                    + "leave out --teacher-finetune"
            )
        }
    }
}
