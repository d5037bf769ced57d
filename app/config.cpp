#include "app/config.h"

#include <QCommandLineParser>

namespace foundry::app {

QString themeChoiceName(ThemeChoice theme)
{
    switch (theme) {
    case ThemeChoice::Light:
        return QStringLiteral("light");
    case ThemeChoice::Dark:
        return QStringLiteral("dark");
    case ThemeChoice::System:
        break;
    }
    return QStringLiteral("system");
}

ThemeChoice themeChoiceOf(const QString &name)
{
    if (name == QLatin1StringView("light"))
        return ThemeChoice::Light;
    return name == QLatin1StringView("dark") ? ThemeChoice::Dark : ThemeChoice::System;
}

Result<Config> parseCommandLine(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(
        QStringLiteral("Runs coding agents on tasks across repositories. Starts a local host, or attaches to the one that runs."));
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")}, QStringLiteral("Show this help."));
    const QCommandLineOption version({QStringLiteral("v"), QStringLiteral("version")}, QStringLiteral("Show the version."));
    const QCommandLineOption dataDir(QStringLiteral("host-data-dir"),
        QStringLiteral("Where the local host keeps its state; its own host is used for it."), QStringLiteral("DIR"));
    const QCommandLineOption program(
        QStringLiteral("host-program"), QStringLiteral("The foundry-host to start."), QStringLiteral("FILE"));
    const QCommandLineOption theme(
        QStringLiteral("theme"), QStringLiteral("light, dark or system."), QStringLiteral("THEME"));
    const QCommandLineOption tour(QStringLiteral("tour"),
        QStringLiteral("Do the main job through the window by itself, and write screenshots and tour.json into DIR."),
        QStringLiteral("DIR"));
    const QCommandLineOption repo(QStringLiteral("repo"),
        QStringLiteral("The repository of the tour; one is made with git when none is named."), QStringLiteral("PATH"));
    const QCommandLineOption agent(QStringLiteral("agent"),
        QStringLiteral("The agent of the tour; the built-in runner when none is named."), QStringLiteral("ID"));
    const QCommandLineOption deadline(QStringLiteral("step-deadline"),
        QStringLiteral("The longest that a step of the tour may take."), QStringLiteral("SECONDS"));
    const QCommandLineOption task(QStringLiteral("task"), QStringLiteral("Open this task."), QStringLiteral("ID"));
    const QCommandLineOption quick(QStringLiteral("short"), QStringLiteral("A shorter tour."));
    parser.addOptions({help, version, dataDir, program, theme, tour, repo, agent, quick, deadline, task});

    const auto invalid = [](const QString &why) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), why, QStringLiteral("See --help."));
    };
    if (!parser.parse(arguments))
        return invalid(parser.errorText());
    if (!parser.positionalArguments().isEmpty())
        return invalid(QStringLiteral("\"%1\" is no option.").arg(parser.positionalArguments().constFirst()));
    Config config;
    if (parser.isSet(help)) {
        config.print = parser.helpText();
        return config;
    }
    if (parser.isSet(version)) {
        config.print = QStringLiteral("foundry-workbench " FOUNDRY_VERSION "\n");
        return config;
    }
    config.hostDataDir = parser.value(dataDir);
    config.hostProgram = parser.value(program);
    if (parser.isSet(theme)) {
        const QString name = parser.value(theme);
        config.theme = themeChoiceOf(name);
        config.themeFromCommandLine = true;
        if (themeChoiceName(config.theme) != name)
            return invalid(QStringLiteral("\"%1\" is no theme: light, dark or system.").arg(name));
    }
    config.openTask = parser.value(task);
    config.tourDir = parser.value(tour);
    config.tourRepository = parser.value(repo);
    config.tourAgent = parser.value(agent);
    config.tourStepSeconds = parser.value(deadline).toInt();
    config.tourShort = parser.isSet(quick);
    if (parser.isSet(tour) && config.tourDir.isEmpty())
        return invalid(QStringLiteral("--tour needs a folder."));
    if (config.tourDir.isEmpty() && (parser.isSet(repo) || parser.isSet(agent) || parser.isSet(quick)))
        return invalid(QStringLiteral("--repo, --agent and --short belong to --tour."));
    return config;
}

} // namespace foundry::app
