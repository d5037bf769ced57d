// The command line and the settings of the workbench. Values; read before the window is made.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace foundry::app {

enum class ThemeChoice { System, Light, Dark };

struct Config {
    QString hostDataDir = {}; // empty: the user's own
    QString hostProgram = {}; // empty: foundry-host beside this program
    ThemeChoice theme = ThemeChoice::System;
    bool themeFromCommandLine = false;
    bool stopHostWithWindow = false; // when nothing runs
    QString tourDir = {};            // not empty: the tour, then exit
    QString tourRepository = {};
    QString tourAgent = {};
    bool tourShort = false;
    QString print = {}; // --help, --version: print this and go
};

// Errors are input.invalid with a sentence.
Result<Config> parseCommandLine(const QStringList &arguments);
QString themeChoiceName(ThemeChoice theme);
ThemeChoice themeChoiceOf(const QString &name);

// What is remembered between starts.
struct Settings {
    ThemeChoice theme = ThemeChoice::System;
    bool stopHostWithWindow = false;
    QByteArray geometry = {};
};
Settings readSettings();
void writeSettings(const Settings &settings);

} // namespace foundry::app
