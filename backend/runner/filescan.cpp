#include "backend/runner/filescan.h"

#include "backend/runner/worktreepath.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcessEnvironment>

namespace foundry::runner {

namespace {

constexpr qint64 scanMaxFileBytes = 2 * 1024 * 1024;
constexpr int scanSliceMs = 8;

} // namespace

FileScan::FileScan(QString root, Visit visit, QObject *parent)
    : QObject(parent)
    , m_root(std::move(root))
    , m_visit(std::move(visit))
{
    connect(&m_step, &QTimer::timeout, this, &FileScan::slice);
    connect(&m_git, &QProcess::finished, this, &FileScan::listed);
    connect(&m_git, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            listByHand();
    });
}

FileScan::~FileScan()
{
    m_git.disconnect(this);
    if (m_git.state() != QProcess::NotRunning)
        m_git.kill();
}

void FileScan::start()
{
    // The repository's own configuration must not make git start programs.
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("GIT_OPTIONAL_LOCKS"), QStringLiteral("0"));
    m_git.setProcessEnvironment(environment);
    m_git.setWorkingDirectory(m_root);
    m_git.setStandardInputFile(QProcess::nullDevice());
    m_git.setProgram(QStringLiteral("git"));
    m_git.setArguments({QStringLiteral("-c"), QStringLiteral("core.fsmonitor=false"), QStringLiteral("-c"),
        QStringLiteral("core.hooksPath=/dev/null"), QStringLiteral("ls-files"), QStringLiteral("-z"), QStringLiteral("--cached"),
        QStringLiteral("--others"), QStringLiteral("--exclude-standard")});
    m_git.start();
}

void FileScan::listed()
{
    if (m_git.exitStatus() != QProcess::NormalExit || m_git.exitCode() != 0) {
        listByHand();
        return;
    }
    for (const QByteArray &name : m_git.readAllStandardOutput().split('\0')) {
        if (!name.isEmpty())
            m_files.append(QFile::decodeName(name));
    }
    m_files.removeDuplicates(); // a conflicted file is named once for each side
    m_files.sort();
    m_step.start(0);
}

void FileScan::listByHand()
{
    m_folders = {QString()};
    m_step.start(0);
}

void FileScan::slice()
{
    QElapsedTimer clock;
    clock.start();
    while (clock.elapsed() < scanSliceMs) {
        if (!m_folders.isEmpty()) {
            const QString folder = m_folders.takeFirst();
            const auto entries = QDir(m_root + QLatin1Char('/') + folder)
                                     .entryInfoList(QDir::Dirs | QDir::Files | QDir::Hidden | QDir::NoDotAndDotDot, QDir::Name);
            for (const QFileInfo &entry : entries) {
                const QString relative = folder + entry.fileName();
                if (entry.isSymLink())
                    continue;
                if (!entry.isDir())
                    m_files.append(relative);
                else if (!entry.isHidden() && entry.fileName() != QLatin1String("node_modules"))
                    m_folders.append(relative + QLatin1Char('/'));
            }
            continue;
        }
        if (m_next >= m_files.size()) {
            m_step.stop();
            Q_EMIT finished(m_stats);
            return;
        }
        const QString relative = m_files[m_next++];
        if (!matchesGlob(relative, m_glob))
            continue;
        const QFileInfo info(m_root + QLatin1Char('/') + relative);
        if (info.isSymLink() || !info.isFile())
            continue;
        QFile file(info.filePath());
        if (info.size() > scanMaxFileBytes || !file.open(QIODevice::ReadOnly)) {
            ++m_stats.skipped;
            continue;
        }
        const QByteArray content = file.readAll();
        if (content.left(8192).contains('\0')) {
            ++m_stats.skipped;
            continue;
        }
        ++m_stats.files;
        if (!m_visit(relative, content))
            m_next = m_files.size();
    }
}

} // namespace foundry::runner
