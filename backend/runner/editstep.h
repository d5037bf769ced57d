// /write and /replace: files change only after the whole set was shown and allowed, and only when they still are what
// was shown.
#pragma once

#include "backend/runner/filescan.h"
#include "backend/runner/step.h"

#include <optional>

namespace foundry::runner {

struct FileEdit {
    QString absolute;
    QString relative;
    std::optional<QByteArray> before; // absent: a new file
    QByteArray after;
};

class EditStep : public Step {
    Q_OBJECT
public:
    using Step::Step;
    void start() override;
    void cancel() override;

private:
    void planWrite();
    void planReplace();
    void propose(const QString &title);
    void apply();
    void refuse(const QString &why);

    std::unique_ptr<FileScan> m_scan;
    QList<FileEdit> m_edits;
    QString m_callId;
    int m_places = 0;
    bool m_done = false;
};

} // namespace foundry::runner
