// foundry-workbench: the window.
#include "app/application.h"

#include <QTextStream>

int main(int argc, char **argv)
{
    using namespace foundry::app;

    QCoreApplication::setApplicationName(QStringLiteral("foundry-workbench"));
    QCoreApplication::setApplicationVersion(QStringLiteral(FOUNDRY_VERSION));

    // The command line first: --version and --help need no display.
    QStringList arguments;
    for (int i = 0; i < argc; ++i)
        arguments << QString::fromLocal8Bit(argv[i]);
    const auto config = parseCommandLine(arguments);
    if (!config) {
        QTextStream(stderr) << config.error().message << ' ' << config.error().action << '\n';
        return 2;
    }
    if (!config->print.isEmpty()) {
        QTextStream(stdout) << config->print;
        return 0;
    }

    WatchedApplication qt(argc, argv);
    QGuiApplication::setQuitOnLastWindowClosed(false);
    QGuiApplication::setDesktopFileName(QStringLiteral("foundry-workbench"));
    Application application(qt, *config);
    application.start();
    return QCoreApplication::exec();
}
