// The command line of the workbench, as a value.
#pragma once

#include "models/types/result.h"
#include "views/common/themeprovider.h"

#include <QString>
#include <QStringList>

namespace foundry::app {

using views::ThemeChoice;

struct Config {
    QString hostDataDir = {}; // empty: the user's own
    QString hostProgram = {}; // empty: foundry-host beside this program
    ThemeChoice theme = ThemeChoice::System;
    bool themeFromCommandLine = false;
    QString tourDir = {};            // not empty: the tour, then exit
    QString tourRepository = {};
    QString tourAgent = {};
    bool tourShort = false;
    int tourStepSeconds = 0; // 0: each step's own deadline
    QString openTask = {}; // a task's id: opened as soon as it is known
    QString print = {}; // --help, --version: print this and go
};

// Errors are input.invalid with a sentence.
Result<Config> parseCommandLine(const QStringList &arguments);
QString themeChoiceName(ThemeChoice theme);
ThemeChoice themeChoiceOf(const QString &name);

} // namespace foundry::app
