/** What did the user ask for? The config list, its readers and its errors. */
@NullMarked
package org.nni4j.config;

import org.jspecify.annotations.NullMarked;
