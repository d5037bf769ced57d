// /find and /todo: what the project's files hold.
#pragma once

#include "backend/runner/filescan.h"
#include "backend/runner/step.h"

namespace foundry::runner {

struct FoundLine {
    QString path;
    int line = 0;
    QString text;
};

class FindStep : public Step {
    Q_OBJECT
public:
    using Step::Step;
    void start() override;
    void cancel() override;

private:
    bool visit(const QString &path, const QByteArray &content);
    void scanned(const ScanStats &stats);
    void reportFind(const ScanStats &stats);
    void reportTodo();

    std::unique_ptr<FileScan> m_scan;
    QString m_callId;
    QString m_text;
    QList<FoundLine> m_found;
    int m_total = 0;
    int m_files = 0;
};

} // namespace foundry::runner
