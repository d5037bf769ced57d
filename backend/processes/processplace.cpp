#include "backend/processes/processplace.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace foundry::backend {

namespace {

Error placeOutside(const QString &relative)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("“%1” leads out of the task's work tree.").arg(relative),
        QStringLiteral("Give a folder inside the work tree."), QStringLiteral("cwd"));
}

Error placeNotExecutable(const QString &program)
{
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("not_executable"),
        QStringLiteral("“%1” may not be executed.").arg(program),
        QStringLiteral("Make it executable (chmod +x), or start it with its interpreter."));
}

} // namespace

QProcessEnvironment userProcessEnvironment(QProcessEnvironment host, bool tty)
{
    const QStringList names = host.keys();
    for (const QString &name : names) {
        if (name.startsWith(QLatin1StringView("FOUNDRY_")))
            host.remove(name);
    }
    for (const char *name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "COLUMNS", "LINES", "TERMCAP", "OLDPWD"})
        host.remove(QString::fromLatin1(name));
    host.insert(QStringLiteral("TERM"), tty ? QStringLiteral("xterm-256color") : QStringLiteral("dumb"));
    if (tty)
        host.insert(QStringLiteral("COLORTERM"), QStringLiteral("truecolor"));
    return host;
}

Result<ProcessFolder> openProcessFolder(const QString &root, const QString &relative)
{
    const QString realRoot = QFileInfo(root).canonicalFilePath();
    const QString wanted = relative.isEmpty() ? root : root + QLatin1Char('/') + relative;
    ProcessFolder folder;
    folder.fd.reset(realRoot.isEmpty() ? -1 : ::open(QFile::encodeName(wanted).constData(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.fd.isOpen()) {
        const QString why = realRoot.isEmpty() ? QStringLiteral("it is not there")
            : errno == ENOTDIR                 ? QStringLiteral("it is not a folder")
            : errno == ENOENT                  ? QStringLiteral("it is not there")
                                               : QString::fromLocal8Bit(std::strerror(errno));
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView("folder_missing"),
            QStringLiteral("The folder “%1” cannot be used: %2.").arg(relative.isEmpty() ? root : relative, why),
            QStringLiteral("Check that it is in the work tree."));
    }
    folder.path = QFile::symLinkTarget(QStringLiteral("/proc/self/fd/%1").arg(folder.fd.get()));
    const bool isInside = folder.path == realRoot || realRoot == QLatin1StringView("/") || folder.path.startsWith(realRoot + QLatin1Char('/'));
    if (!isInside)
        return placeOutside(relative);
    return folder;
}

Result<QString> findProcessProgram(const QString &command, const QString &folder, const QProcessEnvironment &environment)
{
    QStringList candidates;
    if (command.contains(QLatin1Char('/'))) {
        candidates.append(QDir::isAbsolutePath(command) ? command : folder + QLatin1Char('/') + command);
    } else {
        QString path = environment.value(QStringLiteral("PATH"));
        if (path.isEmpty())
            path = QStringLiteral("/usr/local/bin:/usr/bin:/bin");
        const QStringList folders = path.split(QLatin1Char(':'));
        for (const QString &place : folders) {
            // An empty or relative entry means the folder one stands in: a repository could put its own "ls" there.
            if (QDir::isAbsolutePath(place))
                candidates.append(place + QLatin1Char('/') + command);
        }
    }
    QString refused;
    for (const QString &candidate : std::as_const(candidates)) {
        const QFileInfo file(candidate);
        if (!file.exists())
            continue;
        if (file.isFile() && ::access(QFile::encodeName(candidate).constData(), X_OK) == 0)
            return candidate;
        if (refused.isEmpty())
            refused = candidate;
    }
    if (!refused.isEmpty())
        return placeNotExecutable(refused);
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("program_not_found"),
        QStringLiteral("There is no program “%1”.").arg(command),
        command.contains(QLatin1Char('/')) ? QStringLiteral("Check its path; it is taken from the folder it is started in.")
                                           : QStringLiteral("Install it on the machine of the host, or give its path."));
}

} // namespace foundry::backend
