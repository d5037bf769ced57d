// Reads the project's files one after the other, a few milliseconds at a time, so that a cancel is heard in between.
// Which files: those git would know (tracked, and untracked but not ignored); without git all but hidden folders and
// node_modules. Links are not followed.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QStringList>
#include <QTimer>
#include <functional>

namespace foundry::runner {

struct ScanStats {
    int files = 0;   // read
    int skipped = 0; // binary, larger than 2 MiB, or unreadable
};

class FileScan : public QObject {
    Q_OBJECT
public:
    // `visit` gets the path relative to the root and the content; it returns false to end the scan.
    using Visit = std::function<bool(const QString &relative, const QByteArray &content)>;

    FileScan(QString root, Visit visit, QObject *parent = nullptr);
    ~FileScan() override;
    void setGlob(const QString &glob) { m_glob = glob; }
    void start();

Q_SIGNALS:
    void finished(const foundry::runner::ScanStats &stats);

private:
    void listed();
    void listByHand();
    void slice();

    QString m_root;
    Visit m_visit;
    QString m_glob;
    QProcess m_git;
    QTimer m_step;
    QStringList m_files;
    QStringList m_folders; // still to be listed, without git
    qsizetype m_next = 0;
    ScanStats m_stats;
};

} // namespace foundry::runner
